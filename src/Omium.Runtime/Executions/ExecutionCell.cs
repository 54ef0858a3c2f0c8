using System.Security.Cryptography;
using Omium.Kernel.Executions;
using Omium.Kernel.Specs;
using Omium.Runtime.Ports;
using Omium.Runtime.Security;

namespace Omium.Runtime.Executions;

/// <summary>What a host keeps of one execution: the fold up to a record, and what is needed to append the next. Guarded by its gate.</summary>
public sealed class ExecutionCell(StreamId stream)
{
    private AesGcm? _cipher;

    /// <summary>Stream.</summary>
    public StreamId Stream { get; } = stream;

    /// <summary>The fold up to <see cref="Seq"/>. Safe to read without the gate (it is immutable).</summary>
    public ExecutionState State { get; internal set; } = ExecutionState.Empty;

    /// <summary>Last record folded; 0 when the stream is empty or nothing is loaded.</summary>
    public long Seq { get; internal set; }

    /// <summary>Where its history lies; null before the first record.</summary>
    public Lineage? Lineage { get; internal set; }

    /// <summary>Numbers of the source's records in a fork: what is added to a stored number of its own; 0 for an execution that was started.</summary>
    internal long Offset => Lineage?.Own.Offset ?? 0;

    /// <summary>States after some of the records, for looking back.</summary>
    internal StateSnapshots Snapshots { get; } = new();

    /// <summary>Plan of the pinned spec; null before the first record.</summary>
    public WorkflowPlan? Plan { get; internal set; }

    /// <summary>Outstanding work at <see cref="Seq"/>.</summary>
    public IReadOnlyList<PendingEffect> Pending { get; internal set; } = [];

    /// <summary>The stream's data key.</summary>
    internal byte[]? DataKey
    {
        get;
        set
        {
            field = value;
            _cipher = null;
        }
    }

    /// <summary>Seals records with the data key; only under the gate.</summary>
    internal AesGcm Cipher => _cipher ??= Seal.NewCipher(DataKey!);

    internal byte[] LastHash { get; set; } = RecordCodec.Genesis;

    internal IndexRow? ExecutionRow { get; set; }

    /// <summary>False when the fold may lag behind the log: reload before deciding.</summary>
    internal bool Fresh { get; set; }

    /// <summary>Forgets everything: nothing is stored under this name yet, or what was being prepared is not to be.</summary>
    internal void Reset() => (State, Seq, LastHash, DataKey, Plan, Lineage, Pending, Fresh) = (ExecutionState.Empty, 0, RecordCodec.Genesis, null, null, null, [], false);

    internal SemaphoreSlim Gate { get; } = new(1, 1);

    /// <summary>Last use, for eviction.</summary>
    internal long TouchedTicks { get; set; }
}
