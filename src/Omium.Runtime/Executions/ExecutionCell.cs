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

    /// <summary>Most keys that <see cref="StoredKeys"/> holds before it starts anew.</summary>
    internal const int StoredKeysMax = 10_000;

    /// <summary>Payload keys that are known to be stored; only under the gate. Only a cache: what it has forgotten is brought again.</summary>
    internal HashSet<string> StoredKeys { get; } = new(StringComparer.Ordinal);

    internal byte[] LastHash { get; set; } = RecordCodec.Genesis;

    internal IndexRow? ExecutionRow { get; set; }

    /// <summary>False when the fold may lag behind the log: reload before deciding.</summary>
    internal bool Fresh { get; set; }

    /// <summary>
    /// True when the cache has let go of it: whoever enters the gate now takes the cell that stands there instead, or two would keep two different
    /// folds of one stream. Set and read inside the gate.
    /// </summary>
    internal bool Dropped { get; set; }

    internal AsyncGate Gate { get; } = new();

    /// <summary>Last use, for eviction.</summary>
    internal long TouchedTicks { get; set; }
}
