using Azure.Core;

namespace Omium.Azure.Rest;

/// <summary>
/// Where a storage account answers and how its caller shows who it is: with a token (a managed identity) or with the account's key. Made from
/// a connection string in its documented form, or from the account's name and a credential.
/// </summary>
/// <remarks>https://learn.microsoft.com/azure/storage/common/storage-configure-connection-string</remarks>
public sealed class StorageAccount
{
    // Published with the emulator, the same for everybody: no secret.
    private const string EmulatorKey = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
    private const string EmulatorName = "devstoreaccount1";

    private StorageAccount(string name, Uri tables, Uri blobs)
    {
        (Name, Tables, Blobs) = (name, WithSlash(tables), WithSlash(blobs));
    }

    /// <summary>The account's name.</summary>
    public string Name { get; }

    /// <summary>Address of the Table service, with a slash at its end.</summary>
    public Uri Tables { get; }

    /// <summary>Address of the Blob service, with a slash at its end.</summary>
    public Uri Blobs { get; }

    internal byte[]? Key { get; private init; }

    internal TokenCredential? Credential { get; private init; }

    /// <summary>An account in the public cloud, reached with a token: no key is stored anywhere.</summary>
    /// <param name="name">The account's name.</param>
    /// <param name="credential">For example <c>new ManagedIdentityCredential(ManagedIdentityId.SystemAssigned)</c>.</param>
    public static StorageAccount WithToken(string name, TokenCredential credential) => WithToken(
        name, new Uri($"https://{name}.table.core.windows.net"), new Uri($"https://{name}.blob.core.windows.net"), credential);

    /// <summary>An account at named addresses (another cloud, private endpoints), reached with a token. Both must be HTTPS.</summary>
    public static StorageAccount WithToken(string name, Uri tables, Uri blobs, TokenCredential credential)
    {
        ArgumentNullException.ThrowIfNull(credential);
        return new StorageAccount(name, tables, blobs) { Credential = credential };
    }

    /// <summary>The account that a connection string names. Its key lies in memory of this process.</summary>
    /// <exception cref="FormatException">The text is no connection string of an account with a key; the message names what is missing, never the key.</exception>
    public static StorageAccount Parse(string connectionString)
    {
        var parts = Split(connectionString);
        if (parts.TryGetValue("UseDevelopmentStorage", out var emulator) && emulator.Equals("true", StringComparison.OrdinalIgnoreCase))
        {
            return new StorageAccount(EmulatorName, new Uri($"http://127.0.0.1:10002/{EmulatorName}"), new Uri($"http://127.0.0.1:10000/{EmulatorName}"))
            {
                Key = Convert.FromBase64String(EmulatorKey),
            };
        }

        var name = parts.GetValueOrDefault("AccountName") ?? throw new FormatException("The storage connection string names no AccountName.");
        var key = parts.GetValueOrDefault("AccountKey") ?? throw new FormatException("The storage connection string has no AccountKey. To use a managed identity, configure the account's name instead.");
        return new StorageAccount(name, Endpoint(parts, name, "Table"), Endpoint(parts, name, "Blob")) { Key = Decode(key) };
    }

    private static Dictionary<string, string> Split(string connectionString)
    {
        var parts = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var part in connectionString.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var at = part.IndexOf('=', StringComparison.Ordinal);
            if (at <= 0)
            {
                throw new FormatException("A part of the storage connection string is not of the form name=value.");
            }

            parts[part[..at]] = part[(at + 1)..];
        }

        return parts;
    }

    private static Uri Endpoint(Dictionary<string, string> parts, string name, string service)
    {
        if (parts.TryGetValue($"{service}Endpoint", out var text))
        {
            return Uri.TryCreate(text, UriKind.Absolute, out var given) && given.Scheme is "http" or "https"
                ? new Uri(text)
                : throw new FormatException($"{service}Endpoint in the storage connection string is no http or https address.");
        }

        var scheme = parts.GetValueOrDefault("DefaultEndpointsProtocol", "https");
        var suffix = parts.GetValueOrDefault("EndpointSuffix", "core.windows.net");
        return new Uri($"{scheme}://{name}.{service.ToLowerInvariant()}.{suffix}");
    }

    private static byte[] Decode(string key)
    {
        try
        {
            return Convert.FromBase64String(key);
        }
        catch (FormatException)
        {
            throw new FormatException("AccountKey in the storage connection string is not base64."); // The text of the inner one would hold a part of it.
        }
    }

    private static Uri WithSlash(Uri address) => address.AbsoluteUri.EndsWith('/') ? address : new Uri(address.AbsoluteUri + "/");
}
