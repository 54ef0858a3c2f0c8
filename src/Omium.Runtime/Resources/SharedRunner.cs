using System.Text.Json;
using Omium.Kernel.Executions;
using Omium.Kernel.Resources;
using Omium.Kernel.Specs;
using Omium.Runtime.Executions;
using Omium.Runtime.Ports;

namespace Omium.Runtime.Resources;

/// <summary>
/// Carries out what an execution owes to what is shared: there is no transaction over two streams, so each of these may be repeated at any point.
/// <code>
/// gather    aliases -> acquire, root by root in order, until one queues -> read -> settle_gather
/// prepare   prepare, root by root in order -> settle_writes (the commit of the step decides)
/// settle    per root: commit or drop writes, release locks -> settle_sharing
/// restore   per root: put back what stood before -> settle_restore
/// </code>
/// Who waits looks after those he waits for: a lock whose visit is settled is released on its behalf, one whose lease is over is asked for back,
/// an open write is settled as its execution says.
/// </summary>
public sealed partial class SharedRunner(Advancer advancer, ResourceAdvancer resources, ScopeAliases aliases)
{
    /// <summary>How soon who waits for a lock looks again, if nobody tells it before. Default 2 s.</summary>
    public TimeSpan LookAgainAfter { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How soon prepared writes that are blocked are tried again. Default 100 ms.</summary>
    public TimeSpan PrepareAgainAfter { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Told when an execution may go on, and from when (Unix ms). Losing it costs time, never correctness.</summary>
    public Action<StreamId, long>? OnNudge { get; set; }

    /// <summary>The writer of resource streams.</summary>
    public ResourceAdvancer Resources => resources;

    /// <summary>Runs an effect to its record. Null when nothing was recorded: it waits, or is no longer wanted.</summary>
    public async ValueTask<AdvanceResult?> RunAsync(ExecutionCell cell, PendingEffect effect, CancellationToken cancellation)
    {
        if (!EffectId.TryParse(effect.Id, out var id) || cell.State.Visits.GetValueOrDefault(id.Key)?.Shared is not { } shared)
        {
            return null;
        }

        var visit = new SharedVisit(cell, id.Key, shared, effect.Id);
        return effect.Kind switch
        {
            PendingKind.Gather => await GatherAsync(visit, cancellation),
            PendingKind.Prepare => await PrepareAsync(visit, cancellation),
            PendingKind.SettleSharing => await SettleAsync(visit, cancellation),
            _ => await RestoreAsync(visit, cancellation),
        };
    }

    /// <summary>What <see cref="BeginCall"/> must know of the values that a call depends on; null when it depends on none.</summary>
    public async ValueTask<IReadOnlyList<CurrentValue>?> CurrentAsync(ExecutionCell cell, string effect, CancellationToken cancellation)
    {
        var needed = ExecutionKernel.FreshnessOf(cell.State, cell.Plan!, effect);
        if (needed.Count == 0)
        {
            return null;
        }

        var current = new List<CurrentValue>();
        foreach (var (key, version) in needed)
        {
            await ResolvePreparedAsync(cell.Stream.Tenant, [key], cancellation);
            current.Add(await CurrentAsync(cell.Stream.Tenant, key, version, cancellation));
        }

        return current;
    }

    private async ValueTask<CurrentValue> CurrentAsync(string tenant, string key, long since, CancellationToken cancellation)
    {
        var state = await resources.CurrentStateAsync(tenant, StateKey.RootOf(key), cancellation);
        if (!state.Values.TryGetValue(key, out var value))
        {
            return new CurrentValue(key, 0, null);
        }

        var changes = value.Changes.Where(change => change.Version > since)
            .Select(change => new ValueChange(change.Version, change.Value, change.Transaction, change.AtMs, change.RestoredFrom)).ToArray();
        return new CurrentValue(key, value.Current.Version, changes.Length == 0 ? null : changes);
    }

    private async ValueTask<AdvanceResult?> GatherAsync(SharedVisit visit, CancellationToken cancellation)
    {
        var (grants, problem) = await ResolveAsync(visit, cancellation);
        if (problem is not null)
        {
            return await SettleAsync(visit, new SettleGather(advancer.NowMs, visit.Effect, null, null, problem), cancellation);
        }

        if (visit.Shared.Locks == LockPhase.Yielded)
        {
            // The last root first: whoever is cut off here still holds what comes first, and waits for nothing that comes before what it holds.
            foreach (var old in visit.Shared.Grants.DistinctBy(grant => grant.Root).OrderByDescending(grant => grant.Root, StringComparer.Ordinal))
            {
                await AdvanceAsync(visit.Tenant, new SettleOwner(resources.NowMs, old.Root, visit.Owner, null, Release: true, old.Token, AttemptMax: visit.Attempt - 1), cancellation);
            }
        }

        var roots = grants.GroupBy(grant => grant.Root, StringComparer.Ordinal).OrderBy(group => group.Key, StringComparer.Ordinal).ToArray();
        foreach (var root in roots)
        {
            string[] scopes = [.. root.Select(grant => grant.Resolved).Distinct(StringComparer.Ordinal)];
            if (await AcquireAsync(visit, root.Key, scopes, cancellation) is not { } token)
            {
                await GiveUpLaterAsync(visit, root.Key, [.. roots.Select(group => group.Key).Where(later => string.CompareOrdinal(later, root.Key) > 0)], cancellation);
                OnNudge?.Invoke(visit.Cell.Stream, advancer.NowMs + (long)LookAgainAfter.TotalMilliseconds);
                return null;
            }

            for (var index = 0; index < grants.Count; index++)
            {
                grants[index] = grants[index].Root == root.Key ? grants[index] with { Token = token } : grants[index];
            }
        }

        var (values, unknown) = await ReadAsync(visit, cancellation);
        return await SettleAsync(visit, new SettleGather(advancer.NowMs, visit.Effect, grants.Count == 0 ? null : grants, values, unknown), cancellation);
    }

    /// <summary>
    /// Who waits under one root holds nothing under a later one, or two might wait for each other: a process that stood still while all was given up may
    /// have asked there since. What is held there is looked at first: where the root that is waited for is not held after that, nothing of what was seen
    /// can be in use.
    /// </summary>
    private async ValueTask GiveUpLaterAsync(SharedVisit visit, string awaited, IReadOnlyList<string> laterRoots, CancellationToken cancellation)
    {
        var held = new List<(string Root, long Token)>();
        foreach (var root in laterRoots)
        {
            if ((await resources.CurrentStateAsync(visit.Tenant, root, cancellation)).HolderOf(visit.Owner) is { } holder)
            {
                held.Add((root, holder.Token));
            }
        }

        if (held.Count == 0 || (await resources.CurrentStateAsync(visit.Tenant, awaited, cancellation)).HolderOf(visit.Owner) is not null)
        {
            return;
        }

        foreach (var (root, token) in held)
        {
            await AdvanceAsync(visit.Tenant, new SettleOwner(resources.NowMs, root, visit.Owner, null, Release: true, token, AttemptMax: visit.Attempt - 1), cancellation);
        }
    }

    private async ValueTask<(List<LockGrant> Grants, EffectFailure? Problem)> ResolveAsync(SharedVisit visit, CancellationToken cancellation)
    {
        var grants = new List<LockGrant>();
        foreach (var scope in visit.Shared.Scopes)
        {
            if (await aliases.ResolveAsync(visit.Tenant, scope, cancellation) is not { } resolved)
            {
                return (grants, Unknown(scope));
            }

            grants.Add(new LockGrant(scope, resolved, ScopeName.RootOf(resolved), 0));
        }

        return (grants, null);
    }

    private static EffectFailure Unknown(string name) => new(
        FailureClasses.ExpressionFailed, "alias_unknown", $"'{ScopeName.AliasOf(name)}' is no scope and no alias that was set; set it before it is used, so that nothing is locked under two names", Permanent: true);

    /// <summary>The visits above a child workflow: what they hold is not in its way. Null for an execution that was started by itself.</summary>
    private async ValueTask<IReadOnlyList<string>?> AncestorsAsync(SharedVisit visit, CancellationToken cancellation)
    {
        List<string>? ancestors = null;
        for (var state = visit.Cell.State; state.Parent is { } parent && EffectId.TryParse(parent.Effect, out var id); )
        {
            (ancestors ??= []).Add(SharedNames.Owner(parent.Execution, id.Key));
            if (await advancer.FindAsync(new StreamId(visit.Tenant, parent.Execution), cancellation) is not { } above)
            {
                break;
            }

            state = above.State;
        }

        return ancestors;
    }

    /// <summary>The token of the grant; null while somebody is in the way.</summary>
    private async ValueTask<long?> AcquireAsync(SharedVisit visit, string root, string[] scopes, CancellationToken cancellation)
    {
        var ancestors = await AncestorsAsync(visit, cancellation);
        for (var tries = 0; ; tries++)
        {
            var outcome = await AdvanceAsync(visit.Tenant, new AcquireLocks(resources.NowMs, root, visit.Owner, scopes, ancestors, Wait: true, visit.Shared.LeaseMs, visit.Shared.Gathers - 1), cancellation);
            if (outcome.State.HolderOf(visit.Owner) is { } held)
            {
                if (scopes.All(scope => held.Scopes.Any(has => ScopeName.Covers(has, scope))))
                {
                    return held.Token;
                }

                await AdvanceAsync(visit.Tenant, new SettleOwner(resources.NowMs, root, visit.Owner, null, Release: true, held.Token, AttemptMax: visit.Attempt - 1), cancellation);
            }
            else if (tries > 0 || !await LookAfterAsync(visit.Tenant, outcome.State, visit.Owner, ancestors, scopes, cancellation))
            {
                // What was released may have been granted to us between the two looks.
                return (await resources.StateAsync(visit.Tenant, root, cancellation)).HolderOf(visit.Owner)?.Token;
            }
        }
    }

    /// <summary>Looks after those who are in the way of these scopes. True when a lock was released by it.</summary>
    private async ValueTask<bool> LookAfterAsync(string tenant, ResourceState state, string owner, IReadOnlyList<string>? ancestors, IReadOnlyList<string> scopes, CancellationToken cancellation)
    {
        var released = false;
        var inTheWay = state.Holders.Where(holder => holder.Owner != owner && ancestors?.Contains(holder.Owner) != true && holder.Scopes.Any(held => scopes.Any(scope => ScopeName.Conflict(held, scope)))).ToArray();
        foreach (var holder in inTheWay)
        {
            if (!SharedNames.TryRead(holder.Owner, tenant, out var stream, out var visit, out _))
            {
                continue;
            }

            var cell = await FindAsync(stream, state => !state.NeedsLocks(visit), cancellation);
            if (cell is null || !cell.State.NeedsLocks(visit))
            {
                released |= await SettleForAsync(tenant, state.Root, holder.Owner, cell, visit, release: true, holder.Token, holder.Round, cancellation);
            }
            else if (resources.NowMs - holder.GrantedMs >= holder.LeaseMs)
            {
                var yielded = await advancer.AdvanceAsync(stream, new YieldLocks(advancer.NowMs, visit.Step, visit.Visit, owner), null, cancellation);
                if (yielded.Changed)
                {
                    OnNudge?.Invoke(stream, 0);
                }
            }
        }

        return released;
    }

    /// <summary>Another execution. That it is done with something is believed from the log alone: a cache may not know yet what has begun since.</summary>
    private async ValueTask<ExecutionCell?> FindAsync(StreamId stream, Func<ExecutionState, bool> isDone, CancellationToken cancellation) =>
        await advancer.FindAsync(stream, cancellation) is { } cell && !isDone(cell.State) ? cell : await advancer.FindCurrentAsync(stream, cancellation);

    /// <summary>The last attempt whose writes come to nothing unless they are committed: one that goes on may be preparing its own.</summary>
    private static int? DroppedUpTo(ExecutionCell? cell, VisitKey key) =>
        cell?.State.Visits.GetValueOrDefault(key) is { Status: VisitStatus.Open } visit && !cell.State.Ended ? visit.Attempt - 1 : null;

    /// <summary>Settles another visit's business under one root as its own execution says.</summary>
    private async ValueTask<bool> SettleForAsync(
        string tenant, string root, string owner, ExecutionCell? cell, VisitKey visit, bool release, long tokenMax, int? roundMax, CancellationToken cancellation)
    {
        var committed = cell?.State.Visits.GetValueOrDefault(visit)?.Shared is { CommittedAttempt: > 0 } shared
            ? SharedNames.Transaction(cell.Stream.Id, visit, shared.CommittedAttempt)
            : null;
        var outcome = await AdvanceAsync(tenant, new SettleOwner(resources.NowMs, root, owner, committed, release, tokenMax, AttemptMax: DroppedUpTo(cell, visit), RoundMax: roundMax), cancellation);
        return outcome.Events.Count > 0;
    }

    /// <summary>Open writes of these values are settled when their execution has decided. Answers a transaction that it has not.</summary>
    private async ValueTask<string?> ResolvePreparedAsync(string tenant, IReadOnlyList<string> keys, CancellationToken cancellation)
    {
        foreach (var key in keys)
        {
            var state = await resources.StateAsync(tenant, StateKey.RootOf(key), cancellation);
            if (!state.Prepared.TryGetValue(key, out var write) || !SharedNames.TryRead(write.Transaction, tenant, out var stream, out var visit, out var attempt))
            {
                continue;
            }

            // From the log: where several hosts share it, a cache may call open what was committed long ago.
            var cell = await advancer.FindCurrentAsync(stream, cancellation);
            if (cell is not null && cell.State.OutcomeOf(visit, attempt) == TransactionOutcome.Open)
            {
                return write.Transaction;
            }

            await SettleForAsync(tenant, state.Root, SharedNames.Owner(stream.Id, visit), cell, visit, release: false, 0, null, cancellation);
        }

        return null;
    }

    private async ValueTask<(IReadOnlyList<ReadValue>? Values, EffectFailure? Problem)> ReadAsync(SharedVisit visit, CancellationToken cancellation)
    {
        if (visit.Shared.Wanted.Count == 0)
        {
            return (null, null);
        }

        var keys = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var wanted in visit.Shared.Wanted)
        {
            if (await aliases.ResolveKeyAsync(visit.Tenant, wanted.Key, cancellation) is not { } resolved)
            {
                return (null, Unknown(wanted.Key));
            }

            keys[wanted.Name] = resolved;
        }

        var states = new Dictionary<string, ResourceState>(StringComparer.Ordinal);
        foreach (var root in keys.Values.Distinct(StringComparer.Ordinal).GroupBy(StateKey.RootOf, StringComparer.Ordinal).OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            string[] read = [.. root.Order(StringComparer.Ordinal)];
            await ResolvePreparedAsync(visit.Tenant, read, cancellation);
            states[root.Key] = visit.Cell.State.IsSandbox
                ? await resources.StateAsync(visit.Tenant, root.Key, cancellation) // A sandbox leaves no trace, not even that of a reader.
                : (await AdvanceAsync(visit.Tenant, new ReadValues(resources.NowMs, root.Key, visit.Owner, read), cancellation)).State;
        }

        return ([.. visit.Shared.Wanted.Select(wanted => Read(wanted.Name, keys[wanted.Name], states[StateKey.RootOf(keys[wanted.Name])]))], null);
    }

    private static ReadValue Read(string name, string key, ResourceState state) => state.Values.TryGetValue(key, out var value)
        ? new ReadValue(name, key, value.Current.Version, value.Current.Value, value.Current.Transaction.Length == 0 ? null : value.Current.Transaction)
        : new ReadValue(name, key, 0, null, null);

    private async ValueTask<AdvanceResult?> PrepareAsync(SharedVisit visit, CancellationToken cancellation)
    {
        if (visit.Shared.Writing is not { } writing)
        {
            return null;
        }

        var writes = new List<ValueWrite>();
        foreach (var write in writing.Writes)
        {
            if (await aliases.ResolveKeyAsync(visit.Tenant, write.Key, cancellation) is not { } key)
            {
                return await SettleAsync(visit, new SettleWrites(advancer.NowMs, visit.Effect, null, null, null, Unknown(write.Key)), cancellation);
            }

            writes.RemoveAll(other => other.Key == key); // Two names of one value: the last one counts.
            writes.Add(new ValueWrite(key, write.Value, visit.Shared.Reads.FirstOrDefault(read => read.Key == key)?.Version));
        }

        var transaction = SharedNames.Transaction(visit.Cell.Stream.Id, visit.Key, writing.Attempt);
        foreach (var root in writes.GroupBy(write => StateKey.RootOf(write.Key), StringComparer.Ordinal).OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            ValueWrite[] own = [.. root.OrderBy(write => write.Key, StringComparer.Ordinal)];
            if (await PrepareAsync(visit, transaction, root.Key, own, cancellation) is { } inTheWay)
            {
                if (await SettleAsync(visit, inTheWay, cancellation) is { Changed: true } result)
                {
                    return result;
                }

                OnNudge?.Invoke(visit.Cell.Stream, advancer.NowMs + (long)PrepareAgainAfter.TotalMilliseconds);
                return null; // Nothing to go on with: the engine would try again at once, and spin.
            }
        }

        return await SettleAsync(visit, new SettleWrites(advancer.NowMs, visit.Effect, [.. writes.Select(write => write.Key)], null, null, null), cancellation);
    }

    /// <summary>Prepares the writes under one root; a command says what is in the way, null = prepared.</summary>
    private async ValueTask<SettleWrites?> PrepareAsync(SharedVisit visit, string transaction, string root, ValueWrite[] writes, CancellationToken cancellation)
    {
        var ancestors = await AncestorsAsync(visit, cancellation);
        for (var tries = 0; ; tries++)
        {
            var outcome = await AdvanceAsync(visit.Tenant, new PrepareWrites(resources.NowMs, root, visit.Owner, transaction, writes, ancestors), cancellation);
            if (outcome.Rejection is not { } rejection)
            {
                return null;
            }

            if (rejection.Code == "stale_read")
            {
                var read = Array.Find(writes, write => write.Key == outcome.Key)!.ReadVersion!.Value;
                return new SettleWrites(advancer.NowMs, visit.Effect, null, await CurrentAsync(visit.Tenant, outcome.Key!, read, cancellation), null, null);
            }

            var helped = rejection.Code == "write_prepared"
                ? await ResolvePreparedAsync(visit.Tenant, [outcome.Key!], cancellation) is null
                : await LookAfterAsync(visit.Tenant, outcome.State, visit.Owner, ancestors, [StateKey.ScopeOf(outcome.Key!)], cancellation);
            if (!helped || tries >= 3)
            {
                return new SettleWrites(advancer.NowMs, visit.Effect, null, null, outcome.BlockedBy, null);
            }
        }
    }

    private async ValueTask<AdvanceResult?> SettleAsync(SharedVisit visit, CancellationToken cancellation)
    {
        var committed = visit.Shared.CommittedAttempt > 0 ? SharedNames.Transaction(visit.Cell.Stream.Id, visit.Key, visit.Shared.CommittedAttempt) : null;
        foreach (var root in (await RootsAsync(visit, cancellation)).OrderDescending(StringComparer.Ordinal))
        {
            // A visit that goes on after all may be granted them anew by the time this runs, ask again for what it has, or prepare again: then what is later stays.
            var tokenMax = visit.Shared.Grants.FirstOrDefault(grant => grant.Root == root)?.Token ?? 0;
            await AdvanceAsync(
                visit.Tenant, new SettleOwner(resources.NowMs, root, visit.Owner, committed, Release: true, tokenMax, Withdraw: true, AttemptMax: visit.Attempt, RoundMax: Math.Max(visit.Shared.Gathers - 1, 0)),
                cancellation);
        }

        return await SettleAsync(visit, new SettleSharing(advancer.NowMs, visit.Effect), cancellation);
    }

    /// <summary>Every root that the visit may have touched, in order. A name that means nothing was never touched.</summary>
    private async ValueTask<IReadOnlyList<string>> RootsAsync(SharedVisit visit, CancellationToken cancellation)
    {
        var roots = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var scope in visit.Shared.Scopes.Concat(visit.Shared.WriteKeys.Select(StateKey.ScopeOf)))
        {
            if (await aliases.ResolveAsync(visit.Tenant, scope, cancellation) is { } resolved)
            {
                roots.Add(ScopeName.RootOf(resolved));
            }
        }

        return [.. roots.Concat(visit.Shared.Grants.Select(grant => grant.Root)).Distinct(StringComparer.Ordinal)];
    }

    /// <summary>Records a result in the execution. One that is no longer wanted leaves nothing behind: what was taken for it is given back.</summary>
    private async ValueTask<AdvanceResult?> SettleAsync(SharedVisit visit, ExecutionCommand command, CancellationToken cancellation)
    {
        var result = await advancer.AdvanceAsync(visit.Cell.Stream, command, null, cancellation);
        if (result.Rejection is null)
        {
            return result;
        }

        var state = result.Cell.State;
        var roundMax = Math.Max((state.Visits.GetValueOrDefault(visit.Key)?.Shared?.Gathers ?? 0) - 1, 0);
        foreach (var root in state.NeedsLocks(visit.Key) ? [] : await RootsAsync(visit, cancellation))
        {
            await SettleForAsync(visit.Tenant, root, visit.Owner, result.Cell, visit.Key, release: true, 0, roundMax, cancellation);
        }

        return null;
    }

    /// <summary>Decides and records a command of a root, and tells those who were granted something by it.</summary>
    private async ValueTask<ResourceOutcome> AdvanceAsync(string tenant, ResourceCommand command, CancellationToken cancellation)
    {
        var outcome = await resources.AdvanceAsync(tenant, command, cancellation);
        foreach (var granted in outcome.Events.OfType<LockGranted>())
        {
            if (!(command is AcquireLocks own && own.Owner == granted.Owner) && SharedNames.TryRead(granted.Owner, tenant, out var stream, out _, out _))
            {
                OnNudge?.Invoke(stream, 0);
            }
        }

        return outcome;
    }

    /// <summary>The visit whose effect is carried out.</summary>
    private sealed record SharedVisit(ExecutionCell Cell, VisitKey Key, SharedUse Shared, string Effect)
    {
        public string Tenant => Cell.Stream.Tenant;

        public string Owner => SharedNames.Owner(Cell.Stream.Id, Key);

        public int Attempt => Cell.State.Visits[Key].Attempt;
    }
}
