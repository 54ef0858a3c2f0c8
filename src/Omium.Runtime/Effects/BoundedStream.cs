namespace Omium.Runtime.Effects;

/// <summary>A read-only view of a stream that gives at most so many bytes and then fails. Leaves the stream itself open.</summary>
internal sealed class BoundedStream(Stream inner, long bytesMax) : ReadOnlyStream
{
    /// <summary>Bytes read so far.</summary>
    public long BytesRead { get; private set; }

    public override int Read(byte[] buffer, int offset, int count) => Counted(inner.Read(buffer, offset, count));

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        Counted(await inner.ReadAsync(buffer, cancellationToken));

    private int Counted(int count)
    {
        BytesRead += count;
        return BytesRead <= bytesMax ? count : throw new BodyTooLargeException(bytesMax);
    }
}
