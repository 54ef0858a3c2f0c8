using System.Net;
using System.Net.Security;
using System.Net.Sockets;

namespace Omium.Runtime.Effects.Tools;

/// <summary>A host has no address that a tool may reach.</summary>
internal sealed class AddressRefusedException(string host, IPAddress address)
    : Exception($"The host '{host}' has the address {address}, which tools may not reach. Allow it with OMIUM_TOOLS_ALLOWED_HOSTS.");

/// <summary>The HTTP stack wanted to send a request a second time, on another connection.</summary>
internal sealed class SecondSendException() : IOException("The connection broke, and the request may have been received; it was not sent again.");

/// <summary>What is known about the sending of one request. Flows with the call (AsyncLocal) down to the connection's stream.</summary>
internal sealed class SendTrace(bool mayRepeat)
{
    private static readonly AsyncLocal<SendTrace?> Slot = new();
    private object? _connection;

    /// <summary>The trace of the call that is running.</summary>
    public static SendTrace? Current
    {
        get => Slot.Value;
        set => Slot.Value = value;
    }

    /// <summary>True once the first byte of the request was handed to a connection (after TLS): from here on it may have happened.</summary>
    public bool Sent => Volatile.Read(ref _connection) is not null;

    /// <summary>Notes a write.</summary>
    /// <exception cref="SecondSendException">The request went out on another connection before, and repeating it is not safe.</exception>
    public void Write(object connection)
    {
        var before = Interlocked.CompareExchange(ref _connection, connection, null);
        if (before is not null && before != connection && !mayRepeat)
        {
            throw new SecondSendException();
        }
    }
}

/// <summary>
/// Opens the connections of HTTP tools. The address is judged where it is used: after resolving, on the very address that is connected to,
/// so a name that changes its mind (DNS rebinding) or a redirect cannot pass.
/// </summary>
internal sealed class ToolConnections(AddressPolicy policy, Func<string, CancellationToken, Task<IPAddress[]>> resolve)
{
    /// <summary>A handler with no redirects, cookies, proxy or credentials, shared by every call.</summary>
    public SocketsHttpHandler CreateHandler() => new()
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        AutomaticDecompression = DecompressionMethods.All,
        ConnectTimeout = Timeout.InfiniteTimeSpan, // Every call has its own time-out, and connecting counts.
        MaxResponseHeadersLength = 64, // KiB
        MaxResponseDrainSize = 0, // A body that is not read to its end costs its connection, not our time.
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
        ConnectCallback = ConnectAsync,
        PlaintextStreamFilter = (context, _) => ValueTask.FromResult<Stream>(new TracedStream(context.PlaintextStream)),
    };

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellation)
    {
        var (host, port) = (context.DnsEndPoint.Host, context.DnsEndPoint.Port);
        IPAddress[] addresses = IPAddress.TryParse(host.Trim('[', ']'), out var literal) ? [literal] : await resolve(host, cancellation);
        var allowed = addresses.Where(address => policy.Allows(host, port, address)).ToArray();
        if (allowed.Length == 0)
        {
            throw addresses.Length == 0 ? new SocketException((int)SocketError.HostNotFound) : new AddressRefusedException(host, addresses[0]);
        }

        for (var i = 0; ; i++)
        {
            var socket = new Socket(allowed[i].AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(new IPEndPoint(allowed[i], port), cancellation);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (SocketException) when (i + 1 < allowed.Length)
            {
                socket.Dispose();
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }
    }

    /// <summary>Passes everything through and tells the running call's <see cref="SendTrace"/> about writes.</summary>
    private sealed class TracedStream(Stream inner) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count) => inner.Read(buffer, offset, count);

        public override int Read(Span<byte> buffer) => inner.Read(buffer);

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            inner.ReadAsync(buffer, cancellationToken);

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            inner.ReadAsync(buffer, offset, count, cancellationToken);

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            SendTrace.Current?.Write(this);
            inner.Write(buffer);
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            SendTrace.Current?.Write(this);
            return inner.WriteAsync(buffer, cancellationToken);
        }

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override void Flush() => inner.Flush();

        public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override async ValueTask DisposeAsync()
        {
            await inner.DisposeAsync();
            await base.DisposeAsync();
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                inner.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
