using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Azure.Core;
using Azure.Core.Pipeline;

namespace Omium.Azure.Rest;

/// <summary>
/// Signs each try of a request with the account's key.
/// https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key: Shared Key for Blobs, Shared Key Lite for Tables.
/// </summary>
internal sealed class SharedKeyPolicy(string account, byte[] key, bool isTables) : HttpPipelineSynchronousPolicy
{
    private static readonly string[] SignedHeaders =
    [
        "Content-Encoding", "Content-Language", "Content-Length", "Content-MD5", "Content-Type", "Date", "If-Modified-Since", "If-Match",
        "If-None-Match", "If-Unmodified-Since", "Range",
    ];

    public override void OnSendingRequest(HttpMessage message)
    {
        var request = message.Request;
        request.Headers.SetValue("x-ms-date", DateTimeOffset.UtcNow.ToString("R", CultureInfo.InvariantCulture));
        var text = isTables ? TablesText(request) : BlobsText(request);
        var signature = Convert.ToBase64String(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text)));
        request.Headers.SetValue("Authorization", $"{(isTables ? "SharedKeyLite" : "SharedKey")} {account}:{signature}");
    }

    private string TablesText(Request request)
    {
        var address = request.Uri.ToUri();
        var component = Query(address).FirstOrDefault(part => part.Name == "comp").Value;
        return $"{Header(request, "x-ms-date")}\n/{account}{address.AbsolutePath}{(component is null ? "" : "?comp=" + component)}";
    }

    private string BlobsText(Request request)
    {
        var text = new StringBuilder(request.Method.ToString()).Append('\n');
        foreach (var name in SignedHeaders)
        {
            var value = name == "Content-Length" ? Length(request) : Header(request, name);
            text.Append(value).Append('\n');
        }

        var own = request.Headers.Where(header => header.Name.StartsWith("x-ms-", StringComparison.OrdinalIgnoreCase))
            .Select(header => (Name: header.Name.ToLowerInvariant(), header.Value))
            .OrderBy(header => header.Name, StringComparer.Ordinal);
        foreach (var (name, value) in own)
        {
            text.Append(name).Append(':').Append(value.Trim()).Append('\n');
        }

        var address = request.Uri.ToUri();
        text.Append('/').Append(account).Append(address.AbsolutePath);
        foreach (var parameter in Query(address).OrderBy(parameter => parameter.Name, StringComparer.Ordinal))
        {
            text.Append('\n').Append(parameter.Name).Append(':').Append(parameter.Value);
        }

        return text.ToString();
    }

    private static IEnumerable<(string Name, string Value)> Query(Uri address) =>
        from part in address.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries)
        let at = part.IndexOf('=', StringComparison.Ordinal)
        select at < 0
            ? (Uri.UnescapeDataString(part).ToLowerInvariant(), "")
            : (Uri.UnescapeDataString(part[..at]).ToLowerInvariant(), Uri.UnescapeDataString(part[(at + 1)..]));

    /// <summary>An absent body and an empty one are both signed as nothing.</summary>
    private static string Length(Request request) =>
        request.Content is { } content && content.TryComputeLength(out var length) && length > 0 ? length.ToString(CultureInfo.InvariantCulture) : "";

    private static string Header(Request request, string name) => request.Headers.TryGetValue(name, out var value) ? value ?? "" : "";
}
