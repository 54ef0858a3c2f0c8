using System.Globalization;
using System.Text.Json;
using Omium.Kernel.Expressions;
using Omium.Kernel.Json;
using Omium.Kernel.Resources;
using Omium.Kernel.Specs;

namespace Omium.Kernel.Executions;

/// <summary>What executions share: locks and reads before a visit's work, freshness before its external calls, writes before its commit.</summary>
internal sealed partial class Decision
{
    /// <summary>Code of an attempt that lost its locks while it worked.</summary>
    private const string LockLost = "lock_lost";

    /// <summary>Attempts that a visit may lose to others that were faster, before the policy decides.</summary>
    private const int LostRacesMax = 8;

    /// <summary>Times that a step is run again because what it had read changed before it was used.</summary>
    private const int StaleRerunsMax = 3;

    /// <summary>How long prepared writes wait for somebody else's lock or open write before the attempt fails.</summary>
    private const long WriteWaitMsMax = 30_000;

    private static readonly Backoff RaceBackoff = new(true, TimeSpan.FromMilliseconds(50), TimeSpan.FromSeconds(2), true);

    /// <summary>Asks for a visit's locks and reads; with nothing to ask for (its locks are held still), the attempt begins.</summary>
    private void Gather(StepPlan step, VisitKey key)
    {
        var plan = step.Shared!;
        var scopes = new List<string>();
        var reads = new List<ReadRequest>();
        foreach (var template in _state.IsSandbox ? [] : plan.Locks)
        {
            if (NameOf(template, key, null, ScopeName.Normalize, "locks", out var failing) is not { } scope)
            {
                Fail(key, failing);
                return;
            }

            scopes.Add(scope);
        }

        foreach (var (name, template) in plan.Reads)
        {
            if (NameOf(template, key, null, StateKey.Normalize, "reads", out var failing) is not { } read)
            {
                Fail(key, failing);
                return;
            }

            reads.Add(new ReadRequest(name, read));
        }

        if (_state.IsSandbox && reads.Count == 0)
        {
            PrepareInput(step, key); // It keeps nobody out, and asks for nothing.
            return;
        }

        string[] wanted = [.. scopes.Distinct(StringComparer.Ordinal)];
        Emit(new LocksRequested(
            key.Step, key.Visit, Visit(key).Attempt, (Visit(key).Shared?.Gathers ?? 0) + 1, wanted.Length == 0 ? null : wanted, reads.Count == 0 ? null : reads, plan.LeaseMs));
    }

    private delegate string? NameReader(string text, out string problem);

    /// <summary>The name that a template gives, in normal form. What an expression inserts stays within its segment.</summary>
    private string? NameOf(Template template, VisitKey key, (JsonElement Value, JsonElement? Schema)? output, NameReader normalize, string place, out Failing failing)
    {
        var divides = false;
        string Within(string inserted)
        {
            divides |= inserted.AsSpan().IndexOfAny('/', '#') >= 0;
            return inserted;
        }

        failing = default!;
        var result = template.Evaluate(Scope(key) with { Output = output }, encode: Within);
        var text = result.Value is { ValueKind: JsonValueKind.String } value ? value.GetString()! : null;
        var problem = text is null
            ? result.Error?.Error.Message ?? "is not a text"
            : divides ? $"'{text}': a value that was inserted holds '/' or '#' and would name something else" : "";
        var name = problem.Length == 0 ? normalize(text!, out problem) : null;
        if (name is null)
        {
            failing = new Failing(FailureClasses.ExpressionFailed, "invalid_scope", text is null ? $"{place}: {problem}" : $"{place}: '{Shorten(text)}' cannot be used: {problem}") { Permanent = true };
        }

        return name;
    }

    private bool TryFind(string effect, char part, out VisitState visit, out EffectId id)
    {
        visit = null!;
        return EffectId.TryParse(effect, out id) && id.Part == part && _state.Visits.TryGetValue(id.Key, out visit!) && visit.Shared is not null;
    }

    private static Rejection NotDue(string effect) => new("effect_not_due", $"{effect} is not waited for any more");

    private Rejection? Settle(SettleGather command)
    {
        if (!TryFind(command.Effect, 'g', out var visit, out var id) || _state.Ended || visit.Status != VisitStatus.Open
            || visit.Shared is not { Gathering: true } shared || id.Attempt != visit.Attempt || id.Number != shared.Gathers)
        {
            return NotDue(command.Effect);
        }

        var key = visit.Key;
        if (command.Failure is { } failure)
        {
            Fail(key, Failing(failure));
            return null;
        }

        var (grants, read) = (command.Grants ?? [], _state.IsSandbox ? AsSandboxed(shared, command.Values ?? []) : command.Values ?? []);
        if (!shared.Scopes.All(scope => grants.Any(grant => grant.Scope == scope)) || !shared.Wanted.All(wanted => read.Any(value => value.Name == wanted.Name)))
        {
            return new Rejection("gather_incomplete", $"{command.Effect} does not bring everything that was asked for");
        }

        if (shared.Scopes.Count > 0)
        {
            Emit(new LocksGranted(key.Step, key.Visit, grants));
        }

        if (shared.Wanted.Count > 0)
        {
            Emit(new StateRead(key.Step, key.Visit, [.. read.Select(value => value.Value is { } held ? value with { Value = Present(Externalize(held)) } : value)]));
        }

        if (shared.PreparedAttempt != visit.Attempt)
        {
            PrepareInput(Plan.Step(key.Step)!, key);
        }

        return null;
    }

    /// <summary>Makes the input of an attempt whose visit was scheduled without one: what is shared had to be there first, or the attempt before could not make it.</summary>
    private void PrepareInput(StepPlan step, VisitKey key)
    {
        var correction = key.IsItem ? null : CorrectionOf(step, Visit(key).After);
        string? problem = null;
        var input = correction?.Input ?? (step.ForEach is null || key.IsItem ? InputOf(step, Scope(key), out problem) : JsonMake.EmptyObject);
        var stored = Externalize(input);
        Emit(new StepPrepared(key.Step, key.Visit, Visit(key).Attempt, stored, DigestOf(stored), key.IsItem ? null : SourcesOf(step)));
        if (correction?.Output is { } given)
        {
            Finish(step, key, given, correction.By);
            return;
        }

        if (problem is not null)
        {
            Fail(key, NoInput(problem));
            return;
        }

        Enter(step, key);
    }

    /// <summary>Null when nothing that the call depends on has changed since it was read. Else the attempt fails before anything is sent.</summary>
    private Rejection? CheckFresh(VisitState visit, BeginCall command)
    {
        foreach (var (reader, read) in Plan.ReadsShared ? Freshness.Reads(_state, visit) : [])
        {
            if (command.Current?.FirstOrDefault(value => value.Key == read.Key) is not { } current)
            {
                return new Rejection("versions_needed", $"{command.Effect} depends on {read.Key}: say which version it has now");
            }

            if (ChangeSince(reader, read, current) is { } change)
            {
                Fail(visit.Key, Stale(reader.Key, read, change));
                return new Rejection("effect_not_due", $"{read.Key} has changed since {reader.Key.Step} read it", RecordsEvents: true);
            }
        }

        return null;
    }

    /// <summary>
    /// The newest change that makes a read stale; null when there is none. What the reader itself or something made from its output has written is
    /// no surprise to it, and a value that a rollback put back is the one that was read. Where the reader's own write came right after what it had read
    /// (it took one from the stock), it had its turn: what others write after that was made from its value, not without it.
    /// </summary>
    private ValueChange? ChangeSince(VisitState reader, ReadValue read, CurrentValue current)
    {
        if (current.Version <= read.Version)
        {
            return null;
        }

        var changes = (current.Changes ?? []).Where(change => change.Version > read.Version).ToArray();
        if (changes.Length == 0)
        {
            return new ValueChange(current.Version, null, "", atMs);
        }

        if (changes[0].Version == read.Version + 1 && VisitOf(changes[0].Writer) == reader.Key)
        {
            return null;
        }

        return changes[^1].RestoredFrom != 0 && changes[^1].RestoredFrom == read.Version ? null : changes.LastOrDefault(change => !IsMadeFrom(reader.Key, change.Writer));
    }

    /// <summary>True when a transaction is one of this execution, by the reader itself or by a visit whose input was made from its output.</summary>
    private bool IsMadeFrom(VisitKey reader, string transaction) =>
        VisitOf(transaction) is { } writer && (writer == reader || (_state.Visits.ContainsKey(writer) && Freshness.Sources(_state, writer).Contains(reader)));

    /// <summary>The visit of a transaction of this execution, or of what a fork has from its source; null when it is another's.</summary>
    private VisitKey? VisitOf(string transaction)
    {
        var slash = transaction.IndexOf('/');
        var parts = transaction[(slash + 1)..].Split('~');
        if (slash < 0 || parts.Length != 3 || !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var visit))
        {
            return null;
        }

        var (owner, key) = (transaction[..slash], new VisitKey(parts[0], visit));
        return owner == (_state.Visits.GetValueOrDefault(key)?.Origin ?? _state.ExecutionId) ? key : null;
    }

    private Failing Stale(VisitKey reader, ReadValue read, ValueChange change)
    {
        var writer = VisitOf(change.Writer) is { } own ? $"step {own.Step} of this execution" : change.Writer.Length > 0 ? change.Writer : "somebody";
        var message = string.Create(CultureInfo.InvariantCulture,
            $"{reader.Step} read {read.Key} as {Shown(read.Value)} (version {read.Version}); since then {writer} has written {Shown(change.Value)} (version {change.Version})");
        return new Failing(FailureClasses.StaleRead, FailureClasses.StaleRead, message)
        {
            StaleReader = reader,
            Expected = string.Create(CultureInfo.InvariantCulture, $"{read.Key} is still version {read.Version}"),
            Actual = JsonMake.Object(
                ("key", JsonMake.Text(read.Key)), ("reader", JsonMake.Text(reader.ToString())), ("read_version", JsonMake.Integer(read.Version)),
                ("read_value", Small(read.Value)), ("version", JsonMake.Integer(change.Version)), ("value", Small(change.Value)),
                ("writer", JsonMake.Text(change.Writer)), ("written_at_ms", JsonMake.Integer(change.AtMs))),
        };
    }

    private static JsonElement Small(JsonElement? value) =>
        value is not { } known ? JsonMake.Null : PayloadReference.BytesOf(known).Length > 512 ? JsonMake.Text("(too large to show)") : known;

    private static string Shown(JsonElement? value) => value is null ? "nothing" : Small(value).GetRawText();

    /// <summary>An attempt that lost a race (what it read itself has changed, or its locks went to others) is made again soon.</summary>
    private long? SharedRetry(VisitState visit, Failing failing)
    {
        var lost = failing.Code == LockLost || (failing.Class == FailureClasses.StaleRead && failing.StaleReader == visit.Key);
        return lost && visit.Failures.Count(known => known.Failure.Code is LockLost or FailureClasses.StaleRead) < LostRacesMax ? WaitMs(RaceBackoff, visit, null) : null;
    }

    /// <summary>True when a stale read is mended by running the step again that read it, and what was made from it.</summary>
    private bool RerunsStale(VisitKey key, Failing failing)
    {
        if (_state.Ended || failing.StaleReader is not { } reader || reader == key)
        {
            return false;
        }

        var reruns = Enumerable.Range(1, _state.Latest[reader.Step]).Count(number => Visit(new VisitKey(reader.Step, number)).Status == VisitStatus.RolledBack);
        return reruns < StaleRerunsMax;
    }

    /// <summary>Takes back the visit that read what has changed, and only what was made from its output; then those run again.</summary>
    private void RerunStale(VisitKey key, VisitKey reader)
    {
        var affected = Ordered(MadeFrom(reader).Append(key).Distinct());
        var effects = StandingEffects(affected);
        if (_state.Rollback is not null)
        {
            Emit(new ActionsDeferred(key.Step, key.Visit, [new RecoveryAction("retry")])); // It fails in the same way, and then this follows.
        }
        else if (effects.Any(call => EffectOf(call).Compensate is null) || PastFork(affected) is not null)
        {
            AskForHelp(key);
        }
        else
        {
            PlanRollback(reader.Step, "stale", affected, [.. effects.Select(call => call.Id.ToString())], "stale_read", null, null, new RollbackSequel(null, null, true, false));
        }
    }

    /// <summary>A visit and everything made from its output: by input, or by an edge whose condition looked at it.</summary>
    private HashSet<VisitKey> MadeFrom(VisitKey reader)
    {
        var set = new HashSet<VisitKey> { reader };
        Spread(set, visit => visit.Reads.Any(set.Contains) || (visit.ItemOf is { } parent && set.Contains(parent)) || ReadsWriteOf(visit, set)
            || visit.After.Any(source => set.Contains(source) && Plan.Step(source.Step)!.Outgoing.Any(edge => edge.Spec.To == visit.Key.Step && edge.When is not null)));
        return set;
    }

    /// <summary>True when a visit read a shared value that one of these visits wrote.</summary>
    private bool ReadsWriteOf(VisitState visit, HashSet<VisitKey> writers) =>
        visit.Shared?.Reads.Any(read => read.Writer is { } writer && VisitOf(writer) is { } key && writers.Contains(key)) == true;

    private void RequestWrites(StepPlan step, VisitKey key, JsonElement output, IReadOnlyList<int> edges, string? by)
    {
        var writes = new List<WriteRequest>();
        foreach (var plan in step.Shared!.Writes)
        {
            if (NameOf(plan.Key, key, (output, step.Spec.OutputSchema), StateKey.Normalize, "writes", out var failing) is not { } name
                || !TryWritten(plan, name, step, key, output, out var value, out failing))
            {
                Fail(key, failing with { Output = Externalize(output) });
                return;
            }

            writes.RemoveAll(write => write.Key == name);
            writes.Add(new WriteRequest(name, Present(value)));
        }

        if (_state.IsSandbox)
        {
            Emit(new WritesSandboxed(key.Step, key.Visit, Visit(key).Attempt, writes));
            Commit(step, key, output, edges, by);
            return;
        }

        Emit(new WritesRequested(
            key.Step, key.Visit, Visit(key).Attempt, Externalize(output), writes, by, Take(ref _inputTokens), Take(ref _outputTokens)));
    }

    private bool TryWritten(WritePlan plan, string name, StepPlan step, VisitKey key, JsonElement output, out JsonElement? value, out Failing failing)
    {
        (value, failing) = (null, default!);
        string? problem = null;
        if (plan.Value is { } expression)
        {
            var result = expression.Evaluate(Scope(key) with { Output = (output, step.Spec.OutputSchema) });
            problem = result.Value is { } computed ? (computed.TryToJson(out var json, out var unfit) ? null : unfit) : result.Error?.Message;
            value = problem is null && result.Value is { } known && known.TryToJson(out json, out _) ? json : null;
        }
        else
        {
            var field = StateKey.FieldOf(name);
            var resolved = values.Resolve(output);
            value = resolved.ValueKind == JsonValueKind.Object && resolved.TryGetProperty(field, out var member) ? member : null;
            problem = value is null ? $"the output has no member '{field}'" : null;
        }

        if (value is { } large && PayloadReference.BytesOf(large).Length > SpecLimits.SharedValueBytesMax)
        {
            problem = $"a shared value takes at most {SpecLimits.SharedValueBytesMax} bytes";
        }

        failing = problem is null ? failing : new Failing(FailureClasses.ExpressionFailed, "write_value", $"{name}: {problem}") { Permanent = true };
        return problem is null;
    }

    private Rejection? Settle(SettleWrites command)
    {
        if (!TryFind(command.Effect, 'p', out var visit, out var id) || _state.Ended || visit.Status != VisitStatus.Open
            || visit.Shared!.Writing is not { } writing || writing.Attempt != id.Attempt || visit.Shared.WriteRound != id.Number)
        {
            return NotDue(command.Effect);
        }

        var (key, step) = (visit.Key, Plan.Step(id.Step)!);
        if (command.Failure is { } failure)
        {
            Fail(key, Failing(failure) with { Output = writing.Output });
        }
        else if (command.Changed is { } changed)
        {
            var read = visit.Shared.Reads.FirstOrDefault(value => value.Key == changed.Key) ?? new ReadValue(changed.Key, changed.Key, 0, null, null);
            var change = (changed.Changes is { Count: > 0 } changes ? changes[^1] : null) ?? new ValueChange(changed.Version, null, "", atMs);
            Fail(key, Stale(key, read, change) with { Output = writing.Output });
        }
        else if (command.BlockedBy is { } blocker)
        {
            if (atMs - visit.Shared.WritingMs >= WriteWaitMsMax)
            {
                Fail(key, new Failing(FailureClasses.LockConflict, "write_blocked", $"{blocker} has kept the writes of {key.Step} waiting for {WriteWaitMsMax / 1000} s") { Output = writing.Output });
            }
        }
        else if (!TryLeaveWritten(step, visit, writing, out var edges, out var failing))
        {
            Fail(key, failing with { Output = writing.Output });
        }
        else
        {
            Commit(step, key, writing.Output, edges, writing.By, prepared: command.Keys ?? []);
        }

        return null;
    }

    /// <summary>The edges of an output whose writes are prepared: those its verifiers agreed to with it; else as they are taken now.</summary>
    private bool TryLeaveWritten(StepPlan step, VisitState visit, WritesRequested writing, out IReadOnlyList<int> edges, out Failing failing)
    {
        if (writing.By is null && visit.Verification is { Outcome: VerificationOutcome.Agreed, Request: { Subject: "output" } verified })
        {
            (edges, failing) = (verified.Edges ?? [], default!);
            return true;
        }

        var leaves = TryLeave(step, visit.Key, writing.Output, out var taken, out failing);
        edges = taken;
        return leaves;
    }

    private Rejection? Settle(SettleSharing command)
    {
        if (!TryFind(command.Effect, 's', out var visit, out _) || !_state.GivesBack(visit) || !PendingEffects.OwesSettlement(visit.Shared!))
        {
            return NotDue(command.Effect);
        }

        if (visit.Shared!.Locks is LockPhase.Requested or LockPhase.Held or LockPhase.Yielded)
        {
            Emit(new LocksReleased(visit.Key.Step, visit.Key.Visit));
        }

        if (visit.Shared is { WriteKeys.Count: > 0, WritesSettled: false } && _state.Settles(visit))
        {
            Emit(new WritesSettled(visit.Key.Step, visit.Key.Visit, visit.Shared.CommittedAttempt > 0));
        }

        return null;
    }

    private Rejection? Settle(SettleRestore command)
    {
        if (!TryFind(command.Effect, 'w', out var visit, out _) || !ExecutionEvolver.OwesRestore(visit))
        {
            return NotDue(command.Effect);
        }

        var key = visit.Key;
        Emit(new WritesRestored(key.Step, key.Visit, command.Restored, command.Conflicts));
        foreach (var conflict in command.Conflicts ?? [])
        {
            var message = string.Create(CultureInfo.InvariantCulture, $"{conflict.Key} stays at version {conflict.Version}: {conflict.Writer} has written it since");
            Emit(new ResidueRecorded(command.Effect, conflict.Key, "state_conflict", message));
            Notify("residue", key.Step, message);
        }

        ContinueRollback();
        return null;
    }

    private Rejection? Yield(YieldLocks command)
    {
        var key = new VisitKey(command.Step, command.Visit);
        if (!_state.Visits.TryGetValue(key, out var visit) || visit.Shared is not { Locks: LockPhase.Held } shared)
        {
            return null; // It holds nothing.
        }

        if (_state.HasUnsettled(visit) || shared.Writing is not null || shared.Gathering || (shared.CommittedAttempt > 0 && !shared.WritesSettled))
        {
            return new Rejection("locks_in_use", $"{key} has begun something whose outcome is not known: its locks stay");
        }

        Emit(new LocksYielded(key.Step, key.Visit, command.To));
        return null;
    }
}
