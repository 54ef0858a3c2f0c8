namespace Omium.Runtime.Effects.Mcp;

/// <summary>
/// What a program writes, a message a line, with a bound on the line: one that never ends must not become all the memory of this process. Fails once it is
/// passed, and from then on.
/// </summary>
/// <param name="inner">Where the lines come from.</param>
/// <param name="lineBytesMax">Longest line.</param>
internal sealed class LineBoundedStream(Stream inner, long lineBytesMax) : ReadOnlyStream
{
    private long _lineBytes;

    /// <summary>True once a line was too long.</summary>
    public bool IsPassed { get; private set; }

    public override int Read(byte[] buffer, int offset, int count) => Counted(buffer.AsSpan(offset, inner.Read(buffer, offset, count)));

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var count = await inner.ReadAsync(buffer, cancellationToken);
        return Counted(buffer.Span[..count]);
    }

    private int Counted(ReadOnlySpan<byte> read)
    {
        var last = read.LastIndexOf((byte)'\n');
        var longest = last < 0 ? _lineBytes + read.Length : Math.Max(_lineBytes + read.IndexOf((byte)'\n'), read.Length - last - 1);
        _lineBytes = last < 0 ? longest : read.Length - last - 1;
        IsPassed |= longest > lineBytesMax;
        return IsPassed ? throw new BodyTooLargeException(lineBytesMax) : read.Length;
    }
}
