using System.Globalization;
using Omium.Kernel.Executions;

namespace Omium.Kernel.Resources;

/// <summary>One decision in the making: a working state that every emitted event evolves.</summary>
internal sealed class ResourceDecision(ResourceState state, long atMs)
{
    private readonly List<ResourceEvent> _events = [];
    private ResourceState _state = state;

    public ResourceOutcome Run(ResourceCommand command)
    {
        var before = _state;
        if (_state.Root.Length == 0)
        {
            Emit(new RootOpened(command.Root));
        }
        else if (_state.Root != command.Root)
        {
            return new ResourceOutcome([], before, new Rejection("wrong_root", $"this is the stream of {_state.Root}, not of {command.Root}"));
        }

        var refused = command switch
        {
            AcquireLocks c => Acquire(c),
            ReadValues c => Read(c),
            PrepareWrites c => Prepare(c),
            SettleOwner c => Settle(c),
            RestoreValues c => Restore(c),
            _ => Refuse("unknown_command", $"no command {command.Name} is known to this kernel"),
        };
        return refused is not null
            ? refused with { State = before }
            : _events is [RootOpened] ? new ResourceOutcome([], before) : new ResourceOutcome(_events, _state);
    }

    private static ResourceOutcome Refuse(string code, string message, string? by = null, string? key = null) =>
        new([], ResourceState.Empty, new Rejection(code, message), by, key);

    private void Emit(ResourceEvent happened)
    {
        _state = ResourceEvolver.Evolve(_state, happened, atMs);
        _events.Add(happened);
    }

    private ResourceOutcome? Acquire(AcquireLocks command)
    {
        if (command.Scopes.Count == 0 || command.Scopes.Any(scope => ScopeName.RootOf(scope) != command.Root))
        {
            return Refuse("wrong_root", $"every scope must lie under {command.Root}");
        }

        if ((_state.HolderOf(command.Owner)?.Round ?? _state.WaiterOf(command.Owner)?.Round) is { } round)
        {
            if (command.Round > round)
            {
                Emit(new LockAskedAgain(command.Owner, command.Round));
            }

            return null; // Asked before: it holds, or it has its place.
        }

        var ancestors = command.Ancestors ?? [];
        if (InTheWay(command.Owner, command.Scopes, ancestors, long.MaxValue) is not { } blocker)
        {
            Grant(command.Owner, command.Scopes, command.LeaseMs, command.Ancestors, command.Round);
            return null;
        }

        if (!command.Wait)
        {
            return Refuse("lock_conflict", $"{blocker} has {string.Join(", ", command.Scopes)} or waits for it", blocker);
        }

        Emit(new LockQueued(command.Owner, command.Scopes, _state.Ticket + 1, command.LeaseMs, command.Ancestors, command.Round));
        return null;
    }

    private void Grant(string owner, IReadOnlyList<string> scopes, long leaseMs, IReadOnlyList<string>? ancestors, int round) =>
        Emit(new LockGranted(owner, scopes, _state.Token + 1, leaseMs, ancestors is { Count: > 0 } ? ancestors : null, round));

    /// <summary>
    /// Who keeps an owner from these scopes: a holder that is none of its ancestors, or somebody who has waited longer for something that
    /// conflicts. Null when nobody does.
    /// </summary>
    private string? InTheWay(string owner, IReadOnlyList<string> scopes, IReadOnlyList<string> ancestors, long ticket)
    {
        var holder = _state.Holders.Find(held => held.Owner != owner && !ancestors.Contains(held.Owner) && Conflict(held.Scopes, scopes));
        if (holder is not null)
        {
            return holder.Owner;
        }

        var inherited = _state.Holders.Where(held => ancestors.Contains(held.Owner)).SelectMany(held => held.Scopes).ToArray();
        var contested = scopes.Where(scope => !inherited.Any(held => ScopeName.Covers(held, scope))).ToArray();
        return _state.Queue.Find(waiter => waiter.Ticket < ticket && waiter.Owner != owner && Conflict(waiter.Scopes, contested))?.Owner;
    }

    private static bool Conflict(IReadOnlyList<string> some, IReadOnlyList<string> others) =>
        some.Any(one => others.Any(other => ScopeName.Conflict(one, other)));

    /// <summary>Grants whoever is no longer kept out, in the order they came: nobody overtakes one who waits for the same.</summary>
    private void GrantWaiters()
    {
        foreach (var waiter in _state.Queue)
        {
            if (InTheWay(waiter.Owner, waiter.Scopes, waiter.Ancestors, waiter.Ticket) is null)
            {
                Grant(waiter.Owner, waiter.Scopes, waiter.LeaseMs, waiter.Ancestors, waiter.Round);
            }
        }
    }

    private ResourceOutcome? Read(ReadValues command)
    {
        Emit(new ValuesRead(command.Reader, [.. command.Keys.Select(key => new VersionRead(key, VersionOf(key)))]));
        return null;
    }

    private long VersionOf(string key) => _state.Values.TryGetValue(key, out var value) ? value.Current.Version : 0;

    private ResourceOutcome? Prepare(PrepareWrites command)
    {
        if (command.Writes.Count == 0 || command.Writes.Any(write => StateKey.RootOf(write.Key) != command.Root))
        {
            return Refuse("wrong_root", $"every value must lie under {command.Root}");
        }

        var keys = command.Writes.Select(write => write.Key).ToArray();
        if (keys.All(key => _state.Prepared.TryGetValue(key, out var own) && own.Transaction == command.Transaction)
            || keys.All(key => _state.Values.TryGetValue(key, out var value) && value.Changes.Any(change => change.RestoredFrom == 0 && change.Transaction == command.Transaction)))
        {
            return null; // Asked before.
        }

        var ancestors = command.Ancestors ?? [];
        foreach (var write in command.Writes)
        {
            if (_state.Prepared.TryGetValue(write.Key, out var other) && other.Transaction != command.Transaction)
            {
                return Refuse("write_prepared", $"{other.Transaction} is about to write {write.Key}", other.Transaction, write.Key);
            }

            if (_state.Holders.Find(held => held.Owner != command.Owner && !ancestors.Contains(held.Owner)
                && held.Scopes.Any(scope => ScopeName.Covers(scope, StateKey.ScopeOf(write.Key)))) is { } holder)
            {
                return Refuse("lock_conflict", $"{holder.Owner} holds the scope of {write.Key}", holder.Owner, write.Key);
            }

            if (write.ReadVersion is { } read && VersionOf(write.Key) > read)
            {
                return Refuse("stale_read", $"{write.Key} has changed since it was read", _state.Values[write.Key].Current.Transaction, write.Key);
            }
        }

        Emit(new StatePrepared(command.Transaction, command.Writes));
        return null;
    }

    private ResourceOutcome? Settle(SettleOwner command)
    {
        var open = _state.Prepared.Values.Select(write => write.Transaction).Where(transaction => OwnerOf(transaction) == command.Owner)
            .Distinct(StringComparer.Ordinal).ToArray();
        foreach (var transaction in open.Where(transaction => transaction == command.Committed || AttemptOf(transaction) <= (command.AttemptMax ?? int.MaxValue)))
        {
            if (transaction == command.Committed)
            {
                var keys = _state.Prepared.Where(pair => pair.Value.Transaction == transaction).Select(pair => pair.Key);
                Emit(new StateCommitted(transaction, [.. keys.Select(key => new VersionRead(key, VersionOf(key) + 1))]));
            }
            else
            {
                Emit(new StateAborted(transaction));
            }
        }

        if (command.Release && _state.HolderOf(command.Owner) is { } held)
        {
            if ((command.TokenMax == 0 || held.Token <= command.TokenMax) && held.Round <= (command.RoundMax ?? int.MaxValue))
            {
                Emit(new LockReleased(command.Owner));
                GrantWaiters();
            }
        }
        else if ((command.Withdraw || command is { Release: true, TokenMax: 0 }) && _state.WaiterOf(command.Owner) is { } waiter && waiter.Round <= (command.RoundMax ?? int.MaxValue))
        {
            Emit(new LockWithdrawn(command.Owner));
            GrantWaiters();
        }

        return null;
    }

    /// <summary>The visit of a transaction: <c>execution/step~visit~attempt</c> without its attempt.</summary>
    internal static string OwnerOf(string transaction) => transaction[..transaction.LastIndexOf('~')];

    private static int AttemptOf(string transaction) => int.Parse(transaction.AsSpan(transaction.LastIndexOf('~') + 1), CultureInfo.InvariantCulture);

    private static ReadOnlySpan<char> ExecutionOf(string name) => name.AsSpan(0, Math.Max(name.IndexOf('/', StringComparison.Ordinal), 0));

    /// <summary>
    /// An execution does not wait for itself, its parents or its children: what they have read of a value that is taken back is taken back as well,
    /// and they may wait for it.
    /// </summary>
    private static bool IsOneFamily(LockHolder held, RestoreValues command) =>
        held.Ancestors.Append(held.Owner).Any(owner => ExecutionOf(owner).SequenceEqual(ExecutionOf(command.Transaction)))
        || command.Ancestors?.Any(owner => ExecutionOf(owner).SequenceEqual(ExecutionOf(held.Owner))) == true;

    private ResourceOutcome? Restore(RestoreValues command)
    {
        foreach (var key in command.Keys.Where(key => _state.Values.TryGetValue(key, out var value) && !value.Undone.Contains(command.Transaction)))
        {
            if (_state.Holders.Find(held => !IsOneFamily(held, command)
                && held.Scopes.Any(scope => ScopeName.Covers(scope, StateKey.ScopeOf(key)))) is { } holder)
            {
                return Refuse("lock_conflict", $"{holder.Owner} holds the scope of {key}", holder.Owner, key);
            }
        }
        foreach (var key in command.Keys)
        {
            if (!_state.Values.TryGetValue(key, out var value) || value.Undone.Contains(command.Transaction))
            {
                continue;
            }

            if (value.Current.Transaction != command.Transaction || _state.Prepared.ContainsKey(key))
            {
                var writer = _state.Prepared.TryGetValue(key, out var open) ? open.Transaction : value.Current.Transaction;
                Emit(new StateConflicted(command.Transaction, key, value.Current.Version, writer));
            }
            else if (value.Stack.Count > 1)
            {
                Emit(new StateRestored(command.Transaction, key, value.Changes[^1].Version + 1, value.Stack[^2].Version));
            }
            else if (value.Changes[0].Version == 1)
            {
                Emit(new StateRestored(command.Transaction, key, value.Changes[^1].Version + 1, 0));
            }
            else
            {
                Emit(new StateConflicted(command.Transaction, key, value.Current.Version, command.Transaction));
            }
        }

        return null;
    }
}
