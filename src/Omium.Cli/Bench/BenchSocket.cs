using System.Net;
using System.Net.Sockets;

namespace Omium.Cli.Bench;

/// <summary>
/// One connection that speaks just enough HTTP/1.1 for what the benchmark asks: on a small machine a general client would take as much of the
/// processor as the server that is measured.
/// </summary>
internal sealed class BenchSocket(Socket socket) : IDisposable
{
    private byte[] _buffer = new byte[64 * 1024];
    private int _length;

    /// <summary>What was received and not yet taken.</summary>
    public ReadOnlySpan<byte> Received => _buffer.AsSpan(0, _length);

    public static async Task<BenchSocket> OpenAsync(Uri address, CancellationToken cancellation)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Parse(address.Host), address.Port, cancellation);
        return new BenchSocket(socket);
    }

    public ValueTask<int> SendAsync(ReadOnlyMemory<byte> request, CancellationToken cancellation) => socket.SendAsync(request, cancellation);

    /// <summary>Waits for more bytes.</summary>
    public async ValueTask ReceiveAsync(CancellationToken cancellation)
    {
        if (_length == _buffer.Length)
        {
            Array.Resize(ref _buffer, _buffer.Length * 2);
        }

        var count = await socket.ReceiveAsync(_buffer.AsMemory(_length), cancellation);
        _length = count > 0 ? _length + count : throw new IOException("the server closed the connection");
    }

    /// <summary>Forgets what was received.</summary>
    public void Clear() => _length = 0;

    /// <summary>Whether an answer is whole. Both framings of RFC 9112 section 6 that a server may choose: a length, or chunks up to the empty one.</summary>
    public bool HoldsWholeAnswer()
    {
        var answer = Received;
        var headEnd = answer.IndexOf("\r\n\r\n"u8);
        if (headEnd < 0)
        {
            return false;
        }

        var head = answer[..(headEnd + 2)];
        var lengthAt = head.IndexOf("Content-Length: "u8);
        if (lengthAt < 0)
        {
            return answer.EndsWith("\r\n0\r\n\r\n"u8);
        }

        var digits = head[(lengthAt + "Content-Length: ".Length)..];
        return int.TryParse(digits[..digits.IndexOf((byte)'\r')], out var bytes) && answer.Length - headEnd - 4 >= bytes;
    }

    public void Dispose() => socket.Dispose();
}
