using System.Security.Cryptography;
using Omium.Runtime.Ports;
using Omium.Runtime.Security;

namespace Omium.Runtime.Executions;

/// <summary>What a host keeps of one stream to append the next record to it; the fold is kept by those who derive from this. Guarded by its gate.</summary>
public abstract class StreamCell(StreamId stream)
{
    private AesGcm? _cipher;

    /// <summary>Stream.</summary>
    public StreamId Stream { get; } = stream;

    /// <summary>Last record folded, by its number in the history; 0 when that is empty or nothing is loaded.</summary>
    public long Seq { get; internal set; }

    /// <summary>Where its history lies; null before the first record.</summary>
    public Lineage? Lineage { get; internal set; }

    /// <summary>Records of a fork's source: what is added to a stored number of its own; 0 for a stream with a history of its own.</summary>
    internal long Offset => Lineage?.Own.Offset ?? 0;

    /// <summary>True while nothing is stored under its name: it holds at most what a first record is being decided on.</summary>
    internal bool IsUnborn => Seq == Offset;

    /// <summary>The stream whose key seals the history and whose scope holds its values: the fork's root, else the stream itself.</summary>
    internal StreamId Root => Lineage?.Root ?? Stream;

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

    /// <summary>Forgets everything: nothing is stored under this name yet, or what was being prepared is not to be.</summary>
    internal virtual void Reset() => (Seq, LastHash, DataKey, Lineage, Fresh) = (0, RecordCodec.Genesis, null, null, false);

    /// <summary>True when nothing is under way that would have to be loaded again at once.</summary>
    internal abstract bool Idle { get; }
}
