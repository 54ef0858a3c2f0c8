using System.Collections;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace Omium.Kernel.Executions;

/// <summary>
/// Visits of an execution by their key. Immutable. Nearly every event changes a visit that is open, and few are open at a time: these stand in a tree of their
/// own, so that the tree of all others, which grows with the execution, is touched once when a visit settles and not on every event before.
/// A visit counts as changed unless it is the very same object: comparing everything that two of them hold would cost more than it could spare.
/// </summary>
/// <remarks>Enumerates in no particular order: order by <see cref="VisitState.Ordinal"/> or <see cref="VisitState.CommitOrdinal"/> where order reaches an event.</remarks>
public sealed class VisitDictionary : IReadOnlyDictionary<VisitKey, VisitState>
{
    private static readonly ImmutableDictionary<VisitKey, VisitState> None = ImmutableDictionary.Create<VisitKey, VisitState>(null, new ByIdentity());

    /// <summary>No visits.</summary>
    public static readonly VisitDictionary Empty = new(None, None);

    private readonly ImmutableDictionary<VisitKey, VisitState> _open, _settled;

    private VisitDictionary(ImmutableDictionary<VisitKey, VisitState> open, ImmutableDictionary<VisitKey, VisitState> settled) => (_open, _settled) = (open, settled);

    /// <summary>These visits by their keys.</summary>
    /// <exception cref="ArgumentException">Two of them have the same key.</exception>
    public static VisitDictionary Of(IEnumerable<VisitState> visits)
    {
        var byOpen = visits.ToLookup(IsOpen);
        var (open, settled) = (Tree(byOpen[true]), Tree(byOpen[false]));
        return open.Keys.FirstOrDefault(settled.ContainsKey) is { Step: not null } twice ? throw new ArgumentException($"two visits {twice}", nameof(visits)) : new VisitDictionary(open, settled);
    }

    /// <inheritdoc/>
    public int Count => _open.Count + _settled.Count;

    /// <inheritdoc/>
    public IEnumerable<VisitKey> Keys => _open.Keys.Concat(_settled.Keys);

    /// <inheritdoc/>
    public IEnumerable<VisitState> Values => _open.Values.Concat(_settled.Values);

    /// <inheritdoc/>
    public VisitState this[VisitKey key] => _open.TryGetValue(key, out var open) ? open : _settled[key];

    /// <inheritdoc/>
    public bool ContainsKey(VisitKey key) => _open.ContainsKey(key) || _settled.ContainsKey(key);

    /// <inheritdoc/>
    public bool TryGetValue(VisitKey key, [MaybeNullWhen(false)] out VisitState value) => _open.TryGetValue(key, out value) || _settled.TryGetValue(key, out value);

    /// <summary>The visit of this key, or null.</summary>
    public VisitState? GetValueOrDefault(VisitKey key) => TryGetValue(key, out var visit) ? visit : null;

    /// <summary>The visits with this visit in the place of the one of its key, if there is one.</summary>
    public VisitDictionary Set(VisitState visit) => IsOpen(visit)
        ? new VisitDictionary(_open.SetItem(visit.Key, visit), _open.ContainsKey(visit.Key) ? _settled : _settled.Remove(visit.Key))
        : new VisitDictionary(_open.Remove(visit.Key), _settled.SetItem(visit.Key, visit));

    /// <summary>The visits with these visits in the places of those of their keys.</summary>
    public VisitDictionary Set(IEnumerable<VisitState> visits) => visits.Aggregate(this, (map, visit) => map.Set(visit));

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<VisitKey, VisitState>> GetEnumerator() => _open.Concat(_settled).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private static bool IsOpen(VisitState visit) => visit.Status is VisitStatus.Open or VisitStatus.FailedAttempt;

    private static ImmutableDictionary<VisitKey, VisitState> Tree(IEnumerable<VisitState> visits) => None.AddRange(visits.Select(visit => KeyValuePair.Create(visit.Key, visit)));

    private sealed class ByIdentity : IEqualityComparer<VisitState>
    {
        public bool Equals(VisitState? x, VisitState? y) => ReferenceEquals(x, y);

        public int GetHashCode(VisitState obj) => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(obj);
    }
}
