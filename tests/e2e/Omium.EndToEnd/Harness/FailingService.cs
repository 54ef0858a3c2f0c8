using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Omium.EndToEnd.Harness;

/// <summary>
/// A service outside Omium that answers a list of statuses, one a request, and the last for ever; it keeps the time of each arrival. (The
/// receiver fails always alike; this one fails differently each time.)
/// </summary>
internal sealed class FailingService : IAsyncDisposable
{
    private readonly HttpListener _listener = new();
    private readonly int[] _statuses;
    private readonly List<DateTimeOffset> _arrivals = [];
    private readonly Task _serving;

    public FailingService(params int[] statuses)
    {
        _statuses = statuses;
        Address = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{FreePort()}/"));
        _listener.Prefixes.Add(Address.ToString());
        _listener.Start();
        _serving = ServeAsync();
    }

    /// <summary>Where it listens.</summary>
    public Uri Address { get; }

    /// <summary>When each request arrived.</summary>
    public IReadOnlyList<DateTimeOffset> Arrivals
    {
        get
        {
            lock (_arrivals)
            {
                return [.. _arrivals];
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _listener.Close();
        await _serving;
    }

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
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

            int status;
            lock (_arrivals)
            {
                status = _statuses[Math.Min(_arrivals.Count, _statuses.Length - 1)];
                _arrivals.Add(DateTimeOffset.UtcNow);
            }

            http.Response.StatusCode = status;
            http.Response.ContentType = "application/json";
            http.Response.Close("{\"ok\":true}"u8.ToArray(), willBlock: true);
        }
    }
}
