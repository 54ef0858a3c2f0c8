using System.Globalization;
using System.Text;
using Omium.Runtime.Ports;

namespace Omium.Runtime.Executions;

/// <summary>
/// The stored streams that an execution's history lies in. A fork's history begins with records of its source, which are read there and never
/// copied: its own first record is numbered one more than the last of them. An execution that was started has one segment.
/// </summary>
/// <param name="Root">The stream whose data key seals the whole family, and whose scope holds its payloads. Destroying that key erases all of them.</param>
/// <param name="Segments">Oldest first; the last one is the execution's own.</param>
public sealed record Lineage(StreamId Root, IReadOnlyList<Segment> Segments)
{
    /// <summary>The execution's own segment.</summary>
    public Segment Own => Segments[^1];

    /// <summary>True for a fork.</summary>
    public bool IsFork => Segments.Count > 1;

    /// <summary>The history of an execution that was started.</summary>
    public static Lineage Of(StreamId stream) => new(stream, [new Segment(stream, 0, long.MaxValue)]);

    /// <summary>The history of a fork of this one after its first <paramref name="at"/> records.</summary>
    public Lineage ForkAt(long at, StreamId fork) =>
        new(Root, [.. Segments.Where(segment => segment.Offset < at).Select(segment => segment with { Last = Math.Min(segment.Last, at) }), new Segment(fork, at, long.MaxValue)]);

    /// <summary>The segment that holds a record.</summary>
    public Segment SegmentOf(long seq) => Segments.First(segment => seq <= segment.Last);
}

/// <summary>A stretch of a history that lies in one stored stream.</summary>
/// <param name="Stream">The stored stream.</param>
/// <param name="Offset">What is added to a stored number to give the number in the history.</param>
/// <param name="Last">Last number of the history that lies here.</param>
public readonly record struct Segment(StreamId Stream, long Offset, long Last)
{
    /// <summary>A stored record with its number in the history.</summary>
    internal LogRecord Numbered(LogRecord stored) => Offset == 0 ? stored : stored with { Seq = Offset + stored.Seq };
}

/// <summary>
/// What a fork's stream has in place of a wrapped key of its own: whose key seals it, and where it begins. Readable without any key, so that a chain
/// can be checked after an erasure.
/// </summary>
internal static class ForkMarker
{
    private const string Head = "omium.fork.v1";

    public static byte[] Write(string root, string from, long at) => Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Head}\n{root}\n{from}\n{at}"));

    public static bool TryRead(byte[] stored, out string root, out string from, out long at)
    {
        (root, from, at) = ("", "", 0);
        if (!stored.AsSpan().StartsWith("omium.fork.v1\n"u8))
        {
            return false;
        }

        var parts = Encoding.UTF8.GetString(stored).Split('\n');
        (root, from) = (parts[1], parts[2]);
        return long.TryParse(parts[3], NumberStyles.None, CultureInfo.InvariantCulture, out at);
    }
}
