using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Omium.Api.Tests.Fuzzing;

/// <summary>A request as bytes: what an HTTP library would refuse to send can be sent.</summary>
internal sealed record RawRequest(string Method, string Target, IReadOnlyList<(string Name, string Value)> Headers, byte[]? Body)
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The whole of it for the message of a test that fails; a body that is no text in Base64, because what cannot be seen would be lost.</summary>
    public override string ToString() =>
        $"{Method} {Target}\n{string.Join('\n', Headers.Where(header => header.Name != "Authorization").Select(header => $"{header.Name}: {header.Value}"))}\n\n{BodyText()}";

    private string BodyText()
    {
        try
        {
            return Body is null ? "" : Strict.GetString(Body);
        }
        catch (DecoderFallbackException)
        {
            return $"(Base64) {Convert.ToBase64String(Body!)}";
        }
    }
}

/// <summary>An answer; the body is not read when it is an event stream.</summary>
internal sealed record RawAnswer(int Status, string? MediaType, string Head, string Body);

/// <summary>One request on a connection of its own, read to its end.</summary>
internal static class RawHttp
{
    private static readonly TimeSpan AnswerMax = TimeSpan.FromSeconds(30);

    public static async Task<RawAnswer> SendAsync(Uri server, RawRequest request)
    {
        using var limit = new CancellationTokenSource(AnswerMax);
        using var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync(server.Host, server.Port, limit.Token);
        var stream = client.GetStream();
        try
        {
            await stream.WriteAsync(Encoding.Latin1.GetBytes(HeadOf(server, request)), limit.Token);
            await stream.WriteAsync(request.Body ?? [], limit.Token);
        }
        catch (IOException)
        {
            // The server may have answered before it had read everything.
        }

        return Parse(await ReadAsync(stream, limit.Token));
    }

    private static string HeadOf(Uri server, RawRequest request)
    {
        var head = new StringBuilder($"{request.Method} {request.Target} HTTP/1.1\r\nHost: {server.Authority}\r\nConnection: close\r\n");
        foreach (var (name, value) in request.Headers)
        {
            head.Append(CultureInfo.InvariantCulture, $"{name}: {value}\r\n");
        }

        return head.Append(request.Body is null ? "" : string.Create(CultureInfo.InvariantCulture, $"Content-Length: {request.Body.Length}\r\n")).Append("\r\n").ToString();
    }

    private static async Task<byte[]> ReadAsync(NetworkStream stream, CancellationToken cancellation)
    {
        using var received = new MemoryStream();
        var buffer = new byte[16 * 1024];
        try
        {
            while (await stream.ReadAsync(buffer, cancellation) is > 0 and var count)
            {
                received.Write(buffer, 0, count);
                var text = Encoding.Latin1.GetString(received.GetBuffer(), 0, (int)Math.Min(received.Length, 4_096));
                if (text.Contains("text/event-stream", StringComparison.Ordinal) && text.Contains("\r\n\r\n", StringComparison.Ordinal))
                {
                    break;
                }
            }
        }
        catch (IOException)
        {
            // A reset behind the answer: its bytes are there.
        }

        return received.ToArray();
    }

    private static RawAnswer Parse(byte[] bytes)
    {
        var headEnd = bytes.AsSpan().IndexOf("\r\n\r\n"u8);
        Assert.True(headEnd > 0, $"no whole answer: {Encoding.UTF8.GetString(bytes)}");
        var head = Encoding.Latin1.GetString(bytes, 0, headEnd);
        var body = bytes[(headEnd + 4)..];
        var media = HeaderOf(head, "Content-Type")?.Split(';')[0].Trim();
        if (media != "text/event-stream" && HeaderOf(head, "Transfer-Encoding") is "chunked")
        {
            body = Unchunk(body);
        }

        return new RawAnswer(int.Parse(head.AsSpan(9, 3), CultureInfo.InvariantCulture), media, head, media == "text/event-stream" ? "" : Encoding.UTF8.GetString(body));
    }

    private static string? HeaderOf(string head, string name) => head.Split("\r\n").Skip(1)
        .Where(line => line.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase)).Select(line => line[(name.Length + 1)..].Trim()).FirstOrDefault();

    private static byte[] Unchunk(byte[] body)
    {
        using var whole = new MemoryStream();
        var at = 0;
        while (at < body.Length)
        {
            var lineEnd = at + body.AsSpan(at).IndexOf("\r\n"u8);
            var size = int.Parse(Encoding.ASCII.GetString(body, at, lineEnd - at), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            whole.Write(body, lineEnd + 2, size);
            at = lineEnd + 2 + size + 2;
            if (size == 0)
            {
                break;
            }
        }

        return whole.ToArray();
    }
}
