using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Omium.EndToEnd.Harness;

/// <summary>A service outside Omium that tells back all that it was sent, headers and body, as careless services do; every other time as an error.</summary>
internal sealed class EchoingService : IAsyncDisposable
{
    private readonly HttpListener _listener = new();
    private readonly Task _serving;
    private int _count;

    public EchoingService()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        var port = ((IPEndPoint)probe.LocalEndpoint).Port;
        probe.Stop();
        Address = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}/"));
        _listener.Prefixes.Add(Address.ToString());
        _listener.Start();
        _serving = ServeAsync();
    }

    /// <summary>Where it listens.</summary>
    public Uri Address { get; }

    /// <summary>What it was sent, in order.</summary>
    public List<string> Received { get; } = [];

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

            using var reader = new StreamReader(http.Request.InputStream);
            var sent = $"{http.Request.Url}\n{string.Join('\n', http.Request.Headers.AllKeys.Select(name => $"{name}: {http.Request.Headers[name]}"))}\n{await reader.ReadToEndAsync()}";
            lock (Received)
            {
                Received.Add(sent);
            }

            http.Response.StatusCode = Interlocked.Increment(ref _count) % 2 == 1 ? 422 : 200;
            http.Response.ContentType = "application/json";
            http.Response.Close(Encoding.UTF8.GetBytes(new JsonObject { ["you_sent"] = sent }.ToJsonString()), willBlock: true);
        }
    }
}
