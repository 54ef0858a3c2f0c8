using System.Collections.Immutable;
using Omium.Kernel.Executions;

namespace Omium.Kernel.Resources;

/// <summary>Evolve: what each event changes. Total: what cannot follow from the state is a corrupt log.</summary>
internal static class ResourceEvolver
{
    /// <summary>Transactions remembered as taken back, for each value.</summary>
    private const int UndoneKept = 64;

    public static ResourceState Evolve(ResourceState state, ResourceEvent happened, long atMs) => happened switch
    {
        RootOpened e => state.Root.Length == 0 ? state with { Root = e.Root } : throw new CorruptLogException("a root was opened twice"),
        _ when state.Root.Length == 0 => throw new CorruptLogException($"the stream of a root begins with {happened.GetType().Name}"),
        LockQueued e => Queued(state, e, atMs),
        LockGranted e => Granted(state, e, atMs),
        LockAskedAgain e => AskedAgain(state, e),
        LockReleased e => state.HolderOf(e.Owner) is { } holder
            ? state with { Holders = state.Holders.Remove(holder) }
            : throw new CorruptLogException($"{e.Owner} released what it did not hold"),
        LockWithdrawn e => state.WaiterOf(e.Owner) is { } waiter
            ? state with { Queue = state.Queue.Remove(waiter) }
            : throw new CorruptLogException($"{e.Owner} withdrew from a queue it was not in"),
        ValuesRead => state,
        StatePrepared e => Prepared(state, e, atMs),
        StateCommitted e => Committed(state, e, atMs),
        StateAborted e => state with { Prepared = state.Prepared.RemoveRange(KeysOf(state, e.Transaction)) },
        StateRestored e => Restored(state, e, atMs),
        StateConflicted e => With(state, e.Key, value => Undone(value, e.Transaction)),
        _ => throw new CorruptLogException($"an event of an unknown kind: {happened.GetType().Name}"),
    };

    private static ResourceState Queued(ResourceState state, LockQueued e, long atMs) => e.Ticket != state.Ticket + 1 || state.WaiterOf(e.Owner) is not null
        ? throw new CorruptLogException($"{e.Owner} has no such place in the queue")
        : state with { Ticket = e.Ticket, Queue = state.Queue.Add(new LockWaiter(e.Owner, e.Scopes, e.Ticket, atMs, e.LeaseMs, e.Ancestors ?? [], e.Round)) };

    private static ResourceState Granted(ResourceState state, LockGranted e, long atMs)
    {
        if (e.Token != state.Token + 1 || state.HolderOf(e.Owner) is not null)
        {
            throw new CorruptLogException($"token {e.Token} cannot be granted to {e.Owner}");
        }

        return state with
        {
            Token = e.Token,
            Queue = state.WaiterOf(e.Owner) is { } waiter ? state.Queue.Remove(waiter) : state.Queue,
            Holders = state.Holders.Add(new LockHolder(e.Owner, e.Scopes, e.Token, atMs, e.LeaseMs, e.Ancestors ?? [], e.Round)),
        };
    }

    private static ResourceState AskedAgain(ResourceState state, LockAskedAgain e) =>
        state.HolderOf(e.Owner) is { } holder ? state with { Holders = state.Holders.Replace(holder, holder with { Round = e.Round }) }
        : state.WaiterOf(e.Owner) is { } waiter ? state with { Queue = state.Queue.Replace(waiter, waiter with { Round = e.Round }) }
        : throw new CorruptLogException($"{e.Owner} asked again for what it neither holds nor waits for");

    private static ResourceState Prepared(ResourceState state, StatePrepared e, long atMs)
    {
        if (e.Writes.Any(write => state.Prepared.TryGetValue(write.Key, out var other) && other.Transaction != e.Transaction))
        {
            throw new CorruptLogException($"{e.Transaction} prepared what another transaction had prepared");
        }

        return state with
        {
            Prepared = state.Prepared.SetItems(e.Writes.Select(write => KeyValuePair.Create(write.Key, new PreparedWrite(e.Transaction, write.Value, atMs)))),
        };
    }

    private static ResourceState Committed(ResourceState state, StateCommitted e, long atMs)
    {
        foreach (var (key, version) in e.Versions)
        {
            if (!state.Prepared.TryGetValue(key, out var write) || write.Transaction != e.Transaction)
            {
                throw new CorruptLogException($"{e.Transaction} committed {key} without having prepared it");
            }

            var written = new ValueVersion(version, write.Value, e.Transaction, atMs);
            var value = state.Values.TryGetValue(key, out var known)
                ? known with { Stack = Newest(known.Stack.Add(written)), Changes = Newest(known.Changes.Add(written)) }
                : new SharedValue([written], [written]);
            state = state with { Values = state.Values.SetItem(key, value), Prepared = state.Prepared.Remove(key) };
        }

        return state;
    }

    private static ResourceState Restored(ResourceState state, StateRestored e, long atMs) => With(state, e.Key, value =>
    {
        var before = e.From == 0 ? null : value.Stack[^2];
        var restored = new ValueVersion(e.Version, before?.Value, before?.Transaction ?? "", atMs, before is null ? -1 : before.RestoredFrom > 0 ? before.RestoredFrom : before.Version);
        var below = value.Stack.RemoveAt(value.Stack.Count - 1);
        below = below.Count == 0 ? below : below.RemoveAt(below.Count - 1);
        return Undone(value with { Stack = below.Add(restored), Changes = Newest(value.Changes.Add(restored)) }, e.Transaction);
    });

    private static SharedValue Undone(SharedValue value, string transaction) =>
        value with { Undone = value.Undone.Count < UndoneKept ? value.Undone.Add(transaction) : value.Undone.RemoveAt(0).Add(transaction) };

    private static ImmutableList<ValueVersion> Newest(ImmutableList<ValueVersion> versions) =>
        versions.Count > ResourceState.VersionsKept ? versions.RemoveAt(0) : versions;

    private static string[] KeysOf(ResourceState state, string transaction) =>
        [.. state.Prepared.Where(pair => pair.Value.Transaction == transaction).Select(pair => pair.Key)];

    private static ResourceState With(ResourceState state, string key, Func<SharedValue, SharedValue> change) =>
        state.Values.TryGetValue(key, out var value)
            ? state with { Values = state.Values.SetItem(key, change(value)) }
            : throw new CorruptLogException($"there is no value {key}");
}
