using System.Globalization;
using System.Text.Json;
using Omium.Kernel.Expressions;
using Omium.Kernel.Json;
using Omium.Kernel.Specs;

namespace Omium.Kernel.Executions;

/// <summary>
/// Items of a for_each step, each an atomic action of its own: the step's visit lists them once, begins as many at a time as it may, begins the
/// next when one settles, and commits or fails when all are settled. Triggers and rules of the policy act on the step alone.
/// </summary>
internal sealed partial class Decision
{
    /// <summary>Items begun in one decision; further ones follow in the next, so that no record grows with the list.</summary>
    private const int ItemsPerDecisionMax = 100;

    /// <summary>Failed items that a message names.</summary>
    private const int FailuresNamedMax = 5;

    private readonly Queue<VisitKey> _expanded = new();
    private int _itemsBegun;

    /// <summary>Begins an attempt of a for_each step: its own preconditions, its list (once a visit), then the items.</summary>
    private void EnterItems(StepPlan step, VisitKey key)
    {
        if (!Check(step.ForEach!.Pre, "pre", key, Scope(key), out var failing))
        {
            Fail(key, failing);
        }
        else if (Visit(key).Items is null)
        {
            Expand(step, key);
        }
        else
        {
            _expanded.Enqueue(key);
        }
    }

    /// <summary>Makes the list.</summary>
    private void Expand(StepPlan step, VisitKey key)
    {
        var scope = Scope(key);
        var result = step.ForEach!.Items.Evaluate(scope);
        if (result.Value is OpaqueMap)
        {
            scope.Failed();
        }

        if (!TryExpand(step.ForEach, key, result, out var failing))
        {
            Fail(key, failing);
            return;
        }

        _expanded.Enqueue(key);
    }

    private bool TryExpand(ForEachPlan each, VisitKey key, ExpressionResult result, out Failing failing)
    {
        failing = default!;
        var (code, problem) = result.Value switch
        {
            null => ("items_expression", result.Error!.Message),
            OpaqueMap opaque => ("items_expression", opaque.Failure.Error.Message),
            CelList { Count: > SpecLimits.ItemsMax } list => ("too_many_items", string.Create(CultureInfo.InvariantCulture, $"has {list.Count} items, more than {SpecLimits.ItemsMax}")),
            CelList list => list.TryToJson(out var json, out var why) ? Chunked(key, json) : ("items_expression", why),
            _ => ("items_expression", "is not a list"),
        };
        if (problem is not null)
        {
            failing = new Failing(FailureClasses.ExpressionFailed, code, $"the items ({each.Items.Text}): {problem}") { Permanent = true };
        }

        return problem is null;
    }

    /// <summary>Puts the list on record in pieces that a decision about one item can read: no later decision reads the whole list.</summary>
    private (string Code, string? Problem) Chunked(VisitKey key, JsonElement list)
    {
        var chunks = new List<ItemChunk>();
        var (open, openBytes, index) = (new List<JsonElement>(), 0, 0);
        foreach (var item in list.EnumerateArray())
        {
            var bytes = PayloadReference.BytesOf(item).Length;
            if (bytes > SpecLimits.ItemBytesMax)
            {
                return ("item_too_large", string.Create(CultureInfo.InvariantCulture, $"item {index} has {bytes} bytes, more than {SpecLimits.ItemBytesMax}: list references, and let each action fetch what it needs"));
            }

            if (open.Count > 0 && openBytes + bytes > SpecLimits.ItemChunkBytesMax)
            {
                Close();
            }

            open.Add(item);
            (openBytes, index) = (openBytes + bytes + 1, index + 1);
        }

        if (open.Count > 0)
        {
            Close();
        }

        Emit(new ItemsExpanded(key.Step, key.Visit, index, chunks));
        return ("", null);

        void Close()
        {
            chunks.Add(new ItemChunk(index - open.Count, open.Count, Externalize(JsonMake.Array(open))));
            (open, openBytes) = ([], 0);
        }
    }

    /// <summary>Begins the items that are due, and settles the step when nothing more will come.</summary>
    private void ContinueItems(VisitKey key)
    {
        var step = Plan.Step(key.Step)!;
        if (Visit(key).Shared is { Gathering: true } or { Writing: not null })
        {
            return; // Its locks are to be had first, or what became of its items is being written.
        }

        if (PendingEffects.WaitsForRetry(Visit(key), Plan))
        {
            return; // Its next attempt is not due: when it is, its locks are asked for first, and its preconditions are looked at.
        }

        if (_state.Status == ExecutionStatus.Running && Visit(key) is { Status: VisitStatus.Open, Items: null })
        {
            EnterItems(step, key);
            return;
        }

        while (_state.Status == ExecutionStatus.Running && _itemsBegun < ItemsPerDecisionMax && Visit(key) is { Status: VisitStatus.Open, Items: { } items }
            && items.Due(step.Spec.ForEach!) is { } index && ItemAt(items, index) is { } item && IsItemCovered())
        {
            _itemsBegun++;
            BeginItem(step, key, index, item);
        }

        if (!_state.Ended && Visit(key) is { Status: VisitStatus.Open, Items: { } now } && now.IsSettled(step.Spec.ForEach!))
        {
            ConcludeItems(step, key, now);
        }
    }

    private void BeginItem(StepPlan step, VisitKey parent, int index, JsonElement item)
    {
        var name = ItemName.Of(parent.Step, index);
        var key = new VisitKey(name, _state.Latest.GetValueOrDefault(name) + 1);
        string? problem = null;
        var input = step.Input is null ? item : InputOf(step, Scope() with { Item = step.ForEach!.Item(item, index), SharedReads = _state.SharedOf(parent)?.Reads }, out problem);
        var stored = Externalize(input);
        Emit(new StepScheduled(name, key.Visit, stored, DigestOf(stored), [parent], null));
        if (problem is not null)
        {
            Fail(key, NoInput(problem));
            return;
        }

        Enter(step, key);
    }

    /// <summary>An item of a list; null when this decision was not given the piece that holds it.</summary>
    private JsonElement? ItemAt(ItemsState items, int index)
    {
        var chunk = items.ChunkOf(index);
        return values.Resolve(chunk.Items) is { ValueKind: JsonValueKind.Array } list ? list[index - chunk.First] : null;
    }

    /// <summary>The root <c>item</c> of an item's visit; null for every other visit, and where the list cannot be read.</summary>
    private ItemRoot? ItemOf(VisitKey key) =>
        _state.Visits.GetValueOrDefault(key)?.ItemOf is { } parent && ItemName.TryRead(key.Step, out var step, out var index)
            && Visit(parent).Items is { } items && ItemAt(items, index) is { } item
            ? Plan.Step(step)!.ForEach!.Item(item, index)
            : null;

    /// <summary>A failed attempt of an item: another one, else what <c>on_item_failure</c> says.</summary>
    private void FailItem(StepPlan step, VisitKey key, Failing failing)
    {
        var visit = Visit(key);
        var fingerprint = $"{_state.Workflow}/{step.Spec.Id}/{failing.Class}/{failing.Code}";
        var retry = _state.Ended ? null : RetryOf(step, visit, failing, fingerprint);
        var mode = step.Spec.ForEach!.OnItemFailure;
        var final = retry is null && (_state.Ended || mode == ItemFailure.FailStep || (mode == ItemFailure.RollbackItem && !StandsAnything(key)));
        Emit(new StepFailed(
            key.Step, key.Visit, visit.Attempt, failing.Class, failing.Code, failing.Message, fingerprint, Present(failing.Output), failing.Expected, Present(failing.Actual), final,
            final ? [] : null, Take(ref _inputTokens), Take(ref _outputTokens)));
        if (retry is { } wait)
        {
            RetryAttempt(key, wait);
        }
        else if (final)
        {
            _expanded.Enqueue(visit.ItemOf!.Value);
        }
        else if (mode == ItemFailure.RollbackItem && StandingEffects([key]).All(call => EffectOf(call).Compensate is not null))
        {
            GiveUpItem(key);
        }
        else
        {
            AskForHelp(key); // It says so, or what the item did cannot be undone.
        }
    }

    private bool StandsAnything(VisitKey key) => StandingEffects([key]).Length > 0;

    /// <summary>An item has failed for good: what it did is undone, as far as it can be, and then it counts.</summary>
    private void GiveUpItem(VisitKey key)
    {
        var standing = _state.Ended ? [] : StandingEffects([key]).Where(call => !call.Residue).ToArray();
        foreach (var call in standing.Where(call => EffectOf(call).Compensate is null))
        {
            Leftover(call, "irreversible", "there is no way to undo it");
        }

        var undo = standing.Where(call => EffectOf(call).Compensate is not null).Select(call => call.Id.ToString()).ToArray();
        if (undo.Length > 0)
        {
            PlanItemRollback(key, undo, new RecoveryAction("fail"));
            return;
        }

        Emit(new StepGivenUp(key.Step, key.Visit, []));
        _expanded.Enqueue(Visit(key).ItemOf!.Value);
    }

    /// <summary>Undoes the effects of one item beside everything else, then does with it what was to follow.</summary>
    private void PlanItemRollback(VisitKey key, IReadOnlyList<string> compensations, RecoveryAction then)
    {
        Emit(new RollbackPlanned(
            _state.Rollbacks + 1, RollbackScopes.Attempt, RollbackScopes.Item, [], compensations, then.Kind == "retry" ? "retry" : "policy", null, null,
            new RollbackSequel(key, [then], false, false)));
        GiveUpRepeats(compensations);
        ContinueItemRollback(key);
    }

    private void ContinueItemRollback(VisitKey key)
    {
        if (Visit(key).Rollback is not { Remaining.Count: 0 } rollback)
        {
            return;
        }

        Emit(new RollbackCompleted(rollback.Plan.Rollback, rollback.Compensated, rollback.Residue));
        if (!_state.Ended)
        {
            Act(key, rollback.Plan.Then.Actions ?? []);
        }
    }

    /// <summary>Another attempt of a for_each step: its failed items begin again, those that committed stand. What failed ones left is undone first.</summary>
    private void RetryItems(VisitKey key, long waitMs, bool byPerson, RecoveryAction retry)
    {
        var visit = Visit(key);
        var failed = (visit.Items?.Failed ?? []).Select(index => _state.StandingVisit(ItemName.Of(key.Step, index))!).ToArray();
        if (!byPerson && failed.Any(item => item.Calls.Any(call => call.Residue)))
        {
            AskForHelp(key);
            return;
        }

        var standing = StandingEffects(failed.Select(item => item.Key));
        var undoable = standing.All(call => EffectOf(call).Compensate is not null);
        if (standing.Length == 0 || (byPerson && !undoable))
        {
            Emit(new RetryScheduled(key.Step, key.Visit, visit.Attempt + 1, atMs + waitMs));
            if (waitMs <= 0 && _state.Status == ExecutionStatus.Running)
            {
                _due.Enqueue(key);
            }
        }
        else if (_state.Rollback is not null)
        {
            Emit(new ActionsDeferred(key.Step, key.Visit, [retry]));
        }
        else if (undoable)
        {
            PlanRollback("attempt", RollbackScopes.Attempt, [.. failed.Select(item => item.Key)], [.. standing.Select(call => call.Id.ToString())], "retry", null, null,
                new RollbackSequel(key, [retry], false, false));
        }
        else
        {
            AskForHelp(key);
        }
    }

    /// <summary>Every item is settled: the step commits with what became of them, or fails.</summary>
    private void ConcludeItems(StepPlan step, VisitKey key, ItemsState items)
    {
        var each = step.Spec.ForEach!;
        var output = OutputOf(key, items);
        if (items.Failed.Count > 0 && each.OnItemFailure == ItemFailure.FailStep)
        {
            var first = _state.StandingVisit(ItemName.Of(key.Step, items.Failed.Min))!.Failures[^1].Failure;
            Fail(key, new Failing(first.Class, first.Code, string.Create(CultureInfo.InvariantCulture, $"item {items.Failed.Min}: {first.Message}"))
            {
                Permanent = true, Expected = first.Expected, Actual = first.Actual, Output = Externalize(output),
            });
        }
        else if (items.Count > 0 && (double)items.Failed.Count / items.Count > each.FailedRatioMax)
        {
            Fail(key, TooManyFailed(key, items, each) with { Output = Externalize(output) });
        }
        else
        {
            Finish(step, key, output);
        }
    }

    private Failing TooManyFailed(VisitKey key, ItemsState items, ForEachSpec each)
    {
        var named = items.Failed.Take(FailuresNamedMax).Select(index =>
        {
            var failure = _state.StandingVisit(ItemName.Of(key.Step, index))!.Failures[^1].Failure;
            return string.Create(CultureInfo.InvariantCulture, $"item {index}: {failure.Code} ({Shorten(failure.Message)})");
        });
        var more = items.Failed.Count > FailuresNamedMax ? "; ..." : "";
        var message = string.Create(
            CultureInfo.InvariantCulture, $"{items.Failed.Count} of {items.Count} items failed, and max_failed_ratio is {each.FailedRatioMax}: {string.Join("; ", named)}{more}");
        return new Failing(FailureClasses.ItemsFailed, ForEachSpec.TooManyFailedCode, message)
        {
            Permanent = true,
            Expected = string.Create(CultureInfo.InvariantCulture, $"failed / total <= {each.FailedRatioMax}"),
            Actual = JsonMake.Object(("output.failed", JsonMake.Integer(items.Failed.Count)), ("output.total", JsonMake.Integer(items.Count))),
        };
    }

    /// <summary>
    /// The output of a for_each step: <c>{total, succeeded, failed, skipped, items: [{index, status, output | failure}]}</c>, in the order of the
    /// list. Items that were never begun (the step failed before) are left out.
    /// </summary>
    private JsonElement OutputOf(VisitKey key, ItemsState items)
    {
        var listed = new List<JsonElement>();
        for (var index = 0; index < items.Next; index++)
        {
            if (_state.StandingVisit(ItemName.Of(key.Step, index)) is { } item && item.ItemOf == key)
            {
                listed.Add(ItemOutput(item, index));
            }
        }

        return JsonMake.Object(
            ("total", JsonMake.Integer(items.Count)), ("succeeded", JsonMake.Integer(items.Succeeded)), ("failed", JsonMake.Integer(items.Failed.Count)),
            ("skipped", JsonMake.Integer(items.Skipped)), ("items", JsonMake.Array(listed)));
    }

    private static JsonElement ItemOutput(VisitState item, int index)
    {
        var failure = item.Status == VisitStatus.Failed ? item.Failures[^1].Failure : null;
        return JsonMake.Object(
            ("index", JsonMake.Integer(index)),
            ("status", JsonMake.Text(item.Status switch { VisitStatus.Committed => "succeeded", VisitStatus.Skipped => "skipped", _ => "failed" })),
            ("output", item.Output ?? default),
            ("failure", failure is null
                ? default
                : JsonMake.Object(("class", JsonMake.Text(failure.Class)), ("code", JsonMake.Text(failure.Code)), ("message", JsonMake.Text(Shorten(failure.Message))))));
    }
}
