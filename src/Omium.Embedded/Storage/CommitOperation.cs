namespace Omium.Embedded.Storage;

/// <summary>One operation of one caller, on its way through the <see cref="CommitQueue"/>.</summary>
internal interface ICommitOperation
{
    /// <summary>About how much it writes, in bytes.</summary>
    long SizeBytes { get; }

    /// <summary>True when the old content must also leave the write-ahead log before the caller is told.</summary>
    bool Erases { get; }

    /// <summary>Runs inside a transaction, perhaps a second time after the first was rolled back. Remembers its answer.</summary>
    void Execute(CommitWriter writer);

    /// <summary>Tells the caller the answer of the last <see cref="Execute"/>; its transaction is durable.</summary>
    void Complete(CommitWriter writer);

    /// <summary>Tells the caller of the failure; nothing of it was stored.</summary>
    void Fail(Exception failure);
}

/// <summary>The operation is its caller's task at once: one allocation per operation.</summary>
internal abstract class CommitOperation<TAnswer>(long sizeBytes)
    : TaskCompletionSource<TAnswer>(TaskCreationOptions.RunContinuationsAsynchronously), ICommitOperation
{
    private TAnswer answer = default!;

    public long SizeBytes { get; } = sizeBytes;

    public virtual bool Erases => false;

    public void Execute(CommitWriter writer) => answer = Run(writer);

    public void Complete(CommitWriter writer)
    {
        Count(writer, answer);
        TrySetResult(answer);
    }

    public void Fail(Exception failure) => TrySetException(failure);

    protected abstract TAnswer Run(CommitWriter writer);

    /// <summary>Counts a durable answer; a try that was rolled back is never counted.</summary>
    protected virtual void Count(CommitWriter writer, TAnswer answer)
    {
    }
}
