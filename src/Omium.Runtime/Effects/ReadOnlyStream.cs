namespace Omium.Runtime.Effects;

/// <summary>A stream that is read once, from its beginning to its end: what it says of itself, and what it refuses, as the contract of streams has it.</summary>
internal abstract class ReadOnlyStream : Stream
{
    private const string Refusal = "This stream is read once, from its beginning to its end.";

    public sealed override bool CanRead => true;

    public sealed override bool CanSeek => false;

    public sealed override bool CanWrite => false;

    public sealed override long Length => throw new NotSupportedException(Refusal);

    public sealed override long Position
    {
        get => throw new NotSupportedException(Refusal);
        set => throw new NotSupportedException(Refusal);
    }

    public abstract override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default);

    public sealed override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <summary>Nothing is written, so there is nothing to flush.</summary>
    public sealed override void Flush()
    {
    }

    public sealed override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException(Refusal);

    public sealed override void SetLength(long value) => throw new NotSupportedException(Refusal);

    public sealed override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException(Refusal);
}
