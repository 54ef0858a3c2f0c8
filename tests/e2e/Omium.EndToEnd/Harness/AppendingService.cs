using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Omium.EndToEnd.Harness;

/// <summary>A service outside Omium that is sent a conversation and answers it with one message more; it counts the bytes of its messages.</summary>
internal sealed class AppendingService : IAsyncDisposable
{
    private readonly HttpListener _listener = new();
    private readonly Random _random;
    private readonly int _messageBytes;
    private readonly Task _serving;
    private long _useful;

    public AppendingService(int messageBytes, int seed)
    {
        (_messageBytes, _random) = (messageBytes, new Random(seed));
        Address = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{FreePort()}/"));
        _listener.Prefixes.Add(Address.ToString());
        _listener.Start();
        _serving = ServeAsync();
    }

    /// <summary>Where it listens.</summary>
    public Uri Address { get; }

    /// <summary>Bytes of all messages so far.</summary>
    public long UsefulBytes => Interlocked.Read(ref _useful);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _listener.Close();
        await _serving;
    }

    private async Task ServeAsync()
    {
        while (true)
        {
            HttpListenerContext http;
            try
            {
                http = await _listener.GetContextAsync();
            }
            catch (Exception closed) when (closed is HttpListenerException or ObjectDisposedException)
            {
                return;
            }

            var conversation = (await JsonNode.ParseAsync(http.Request.InputStream))!["history"]!.AsArray();
            var message = Message();
            Interlocked.Add(ref _useful, message.Length);
            conversation.Add(message);
            var answer = new JsonObject { ["history"] = conversation.DeepClone(), ["count"] = conversation.Count };
            http.Response.ContentType = "application/json";
            http.Response.Close(Encoding.UTF8.GetBytes(answer.ToJsonString()), willBlock: true);
        }
    }

    /// <summary>Letters and digits at random: a compressor saves a quarter at most.</summary>
    private string Message()
    {
        const string letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 .";
        return string.Create(_messageBytes, _random, static (text, random) =>
        {
            for (var i = 0; i < text.Length; i++)
            {
                text[i] = letters[random.Next(letters.Length)];
            }
        });
    }

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}
