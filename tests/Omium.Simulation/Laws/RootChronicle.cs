using System.Text.Json;
using Omium.Kernel.Resources;
using Omium.Simulation.Workflows;

namespace Omium.Simulation.Laws;

/// <summary>
/// One root as its stored records tell it: who holds what, who waits, and every version of every value. Nothing here asks the kernel to decide or to
/// fold.
/// </summary>
internal sealed class RootChronicle(string root, RootBook book)
{
    private readonly List<(string Owner, IReadOnlyList<string> Scopes, long Token)> _holders = [];
    private readonly List<(string Owner, IReadOnlyList<string> Scopes)> _queue = [];
    private readonly Dictionary<string, List<ValueVersion>> _values = [];
    private readonly Dictionary<string, (string Transaction, ValueWrite Write)> _prepared = [];
    private readonly HashSet<(string Transaction, string Key)> _committed = [];
    private readonly HashSet<(string Transaction, string Key)> _takenBack = [];
    private long _token;
    private int _records;

    /// <summary>Versions of a value, the oldest first.</summary>
    public IReadOnlyList<ValueVersion> VersionsOf(string key) => _values.GetValueOrDefault(key) ?? [];

    /// <summary>True when an owner holds a scope or one above it.</summary>
    public bool Holds(string owner, string scope) => _holders.Any(holder => holder.Owner == owner && holder.Scopes.Any(held => DrawnSharing.Covers(held, scope)));

    public bool HoldsWith(string owner, long token) => _holders.Any(holder => holder.Owner == owner && holder.Token == token);

    /// <summary>True when a write waits for the outcome of this transaction.</summary>
    public bool IsPrepared(string transaction, string key) => _prepared.TryGetValue(key, out var open) && open.Transaction == transaction;

    public void Read(ResourceBody body)
    {
        _records++;
        foreach (var happened in body.Events)
        {
            switch (happened)
            {
                case LockQueued e:
                    Law(!_holders.Exists(holder => holder.Owner == e.Owner) && !_queue.Exists(waiter => waiter.Owner == e.Owner), $"{e.Owner} waits twice");
                    _queue.Add((e.Owner, e.Scopes));
                    break;
                case LockGranted e:
                    Granted(e);
                    break;
                case LockReleased e:
                    Released(e);
                    break;
                case LockWithdrawn e:
                    Law(_queue.RemoveAll(waiter => waiter.Owner == e.Owner) == 1, $"{e.Owner} was withdrawn and did not wait");
                    break;
                case ValuesRead e:
                    foreach (var read in e.Reads)
                    {
                        Law(read.Version == VersionOf(read.Key), $"{e.Reader} read version {read.Version} of {read.Key}, which has {VersionOf(read.Key)}");
                    }

                    break;
                default:
                    ReadWrite(happened);
                    break;
            }
        }
    }

    private void ReadWrite(ResourceEvent happened)
    {
        switch (happened)
        {
            case StatePrepared e:
                Prepared(e);
                break;
            case StateCommitted e:
                Committed(e);
                break;
            case StateAborted e:
                var (_, visit, attempt) = book.VisitOf(e.Transaction);
                Law(visit is null || visit.Shared.CommittedAttempt != attempt, $"{e.Transaction} was dropped and its step is committed");
                Law(Take(e.Transaction).Count > 0, $"{e.Transaction} was dropped and had prepared nothing");
                break;
            case StateRestored e:
                Restored(e);
                break;
            case StateConflicted e:
                Law(_takenBack.Add((e.Transaction, e.Key)), $"{e.Transaction} was taken back twice from {e.Key}");
                Law(Current(e.Key)?.Transaction != e.Transaction || _prepared.ContainsKey(e.Key) || VersionsOf(e.Key).Count > ResourceState.VersionsKept, $"{e.Transaction} was not taken back from {e.Key}, though nobody has written it since");
                Law(!IsTakenBackToo(e), $"{e.Transaction} was not taken back from {e.Key}, because {Current(e.Key)?.Transaction} was to be taken back before it and is not");
                break;
        }
    }

    /// <summary>True when what is in the way is a later write of the same execution that is taken back with this one: the later one comes first.</summary>
    private bool IsTakenBackToo(StateConflicted e) =>
        Current(e.Key) is { } newest && newest.Transaction != e.Transaction && !_takenBack.Contains((newest.Transaction, e.Key)) && newest.Transaction.Length > 0
        && book.VisitOf(newest.Transaction) is var (execution, visit, _) && visit is { Standing: Standing.TakenBack } && execution == book.VisitOf(e.Transaction).Execution;

    private long VersionOf(string key) => Current(key)?.Version ?? 0;

    private ValueVersion? Current(string key) => _values.TryGetValue(key, out var versions) ? versions[^1] : null;

    /// <summary>Nobody else holds what conflicts, nobody who came before waits for it still, and the token is greater than all before.</summary>
    private void Granted(LockGranted e)
    {
        Law(e.Token > _token, $"{e.Owner} was granted with token {e.Token} after {_token}");
        foreach (var holder in _holders)
        {
            Law(holder.Owner == e.Owner || !Conflict(holder.Scopes, e.Scopes), $"{e.Owner} was granted {string.Join(", ", e.Scopes)} while {holder.Owner} holds {string.Join(", ", holder.Scopes)}");
        }

        var place = _queue.FindIndex(waiter => waiter.Owner == e.Owner);
        foreach (var before in _queue.Take(place < 0 ? _queue.Count : place))
        {
            Law(!Conflict(before.Scopes, e.Scopes), $"{e.Owner} was granted {string.Join(", ", e.Scopes)} before {before.Owner}, who waits for longer");
        }

        if (place >= 0)
        {
            _queue.RemoveAt(place);
        }

        _token = e.Token;
        _holders.Add((e.Owner, e.Scopes, e.Token));
    }

    private static bool Conflict(IReadOnlyList<string> some, IReadOnlyList<string> others) => some.Any(one => others.Any(other => DrawnSharing.Conflict(one, other)));

    /// <summary>A lock ends when its visit has given it up or is over; never while a call of the visit has begun and nobody knows its outcome.</summary>
    private void Released(LockReleased e)
    {
        var at = _holders.FindIndex(holder => holder.Owner == e.Owner);
        Law(at >= 0, $"{e.Owner} gave back what it does not hold");
        if (at < 0)
        {
            return;
        }

        var token = _holders[at].Token;
        _holders.RemoveAt(at);
        var (execution, visit, _) = book.VisitOf(e.Owner);
        if (execution is null || visit is null)
        {
            return;
        }

        var isHeld = visit.Shared.Holds && visit.Shared.Grants.Any(grant => RootBook.RootOf(grant.Resolved) == root && grant.Token == token);
        Law(!isHeld || execution.Ended || visit.Standing is not (Standing.Open or Standing.Failing), $"{e.Owner} lost its locks while it is {visit.Standing}");
        foreach (var call in execution.CallsWith(visit).Where(call => call is { HasEffect: true, Unsettled: true } && isHeld && !(execution.Ended && call.Next is "rerun" or "redo")))
        {
            Law(false, $"{e.Owner} lost its locks while {call.Id} is not settled");
        }
    }

    private void Prepared(StatePrepared e)
    {
        foreach (var write in e.Writes)
        {
            Law(!_prepared.TryGetValue(write.Key, out var other) || other.Transaction == e.Transaction, $"{e.Transaction} prepared {write.Key}, which {other.Transaction} has prepared");
            Law(!_committed.Contains((e.Transaction, write.Key)), $"{e.Transaction} prepared {write.Key} again after its commit");
            Law(write.ReadVersion is not { } read || read == VersionOf(write.Key), $"{e.Transaction} read version {write.ReadVersion} of {write.Key} and writes over {VersionOf(write.Key)}");
            var owner = e.Transaction[..e.Transaction.LastIndexOf('~')];
            var inTheWay = _holders.Find(holder => holder.Owner != owner && holder.Scopes.Any(held => DrawnSharing.Covers(held, DrawnSharing.ScopeOf(write.Key))));
            Law(inTheWay.Owner is null, $"{e.Transaction} prepared {write.Key}, which {inTheWay.Owner} has locked");
            _prepared[write.Key] = (e.Transaction, write);
        }
    }

    private List<(string Key, ValueWrite Write)> Take(string transaction)
    {
        var taken = _prepared.Where(open => open.Value.Transaction == transaction).Select(open => (open.Key, open.Value.Write)).ToList();
        taken.ForEach(open => _prepared.Remove(open.Key));
        return taken;
    }

    /// <summary>A commit becomes visible: only what its execution has committed, once, over the version that its writer saw.</summary>
    private void Committed(StateCommitted e)
    {
        var (_, visit, attempt) = book.VisitOf(e.Transaction);
        Law(visit is not null && visit.Shared.CommittedAttempt == attempt, $"{e.Transaction} is visible and its step is not committed");
        var taken = Take(e.Transaction);
        Law(taken.Select(open => open.Key).Order(StringComparer.Ordinal).SequenceEqual(e.Versions.Select(version => version.Key).Order(StringComparer.Ordinal)), $"{e.Transaction} commits other values than it prepared");
        foreach (var (key, write) in taken)
        {
            var version = e.Versions.FirstOrDefault(made => made.Key == key)?.Version;
            Law(version == (VersionsOf(key).Count > 0 ? VersionsOf(key)[^1].Version : 0) + 1, $"{e.Transaction} makes version {version} of {key} after {VersionOf(key)}");
            Law(_committed.Add((e.Transaction, key)), $"{e.Transaction} was committed twice in {key}");
            if (key.EndsWith("#count", StringComparison.Ordinal))
            {
                Law(Count(write.Value) == Count(Current(key)?.Value) + 1, $"{e.Transaction} counts {key} from {Count(Current(key)?.Value)} to {Count(write.Value)}: an update is lost");
            }

            Add(key, new ValueVersion(version ?? 0, write.Value, e.Transaction, 0));
        }
    }

    private void Restored(StateRestored e)
    {
        var (_, visit, _) = book.VisitOf(e.Transaction);
        Law(visit is { Standing: Standing.TakenBack }, $"{e.Transaction} was taken back from {e.Key} and its step is {visit?.Standing}");
        Law(_takenBack.Add((e.Transaction, e.Key)), $"{e.Transaction} was taken back twice from {e.Key}");
        var from = VersionsOf(e.Key).FirstOrDefault(version => version.Version == e.From);
        Law(e.From == 0 || from is not null, $"{e.Key} was put back to version {e.From}, which there never was");
        Law(e.Version == VersionOf(e.Key) + 1, $"{e.Transaction} makes version {e.Version} of {e.Key} after {VersionOf(e.Key)}");
        Law(_committed.Contains((e.Transaction, e.Key)), $"{e.Transaction} was taken back from {e.Key} and had not written it");
        Add(e.Key, new ValueVersion(e.Version, from?.Value, from?.Transaction ?? "", e.From == 0 ? -1 : e.From));
    }

    private static double Count(JsonElement? value) => value is { ValueKind: JsonValueKind.Number } number ? number.GetDouble() : 0;

    private void Add(string key, ValueVersion version)
    {
        if (!_values.TryGetValue(key, out var versions))
        {
            _values[key] = versions = [];
        }

        versions.Add(version);
    }

    public IEnumerable<string> AtTheEnd() =>
    [
        .. _holders.Where(holder => !IsOver(holder.Owner)).Select(holder => $"{root}: {holder.Owner} holds {string.Join(", ", holder.Scopes)} for ever"),
        .. _queue.Where(waiter => !IsOver(waiter.Owner)).Select(waiter => $"{root}: {waiter.Owner} waits for ever"),
        .. _prepared.Where(open => !IsDropped(open.Value.Transaction)).Select(open => $"{root}: {open.Value.Transaction} has prepared {open.Key} for ever"),
    ];

    /// <summary>What is held for a visit that is over is given back by whoever comes to wait for it.</summary>
    private bool IsOver(string owner) => book.VisitOf(owner) is var (execution, visit, _) && execution is { Ended: true } && visit is { Shared.Holds: false };

    /// <summary>What was prepared too late, for a step that has come to nothing, is dropped by whoever comes to read or write it; nobody sees it before.</summary>
    private bool IsDropped(string transaction) =>
        book.VisitOf(transaction) is var (execution, visit, attempt) && execution is { Ended: true } && visit is not null && visit.Shared.CommittedAttempt != attempt;

    private void Law(bool holds, string broken)
    {
        if (!holds)
        {
            book.Broken.Add($"{root} record {_records}: {broken}");
        }
    }
}

/// <summary>A version of a shared value. <paramref name="RestoredFrom"/>: 0 = written; else the version whose value it has, -1 = none.</summary>
internal sealed record ValueVersion(long Version, JsonElement? Value, string Transaction, long RestoredFrom);
