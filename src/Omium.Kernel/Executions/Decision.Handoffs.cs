using System.Globalization;
using System.Text.Json;
using Omium.Kernel.Expressions;
using Omium.Kernel.Json;
using Omium.Kernel.Schemas;
using Omium.Kernel.Specs;

namespace Omium.Kernel.Executions;

/// <summary>
/// Handoffs. Before the sender's commit the message is checked and its claims are stated; with the commit it is proposed; every claim is then
/// measured on the receiver's side (by an expression here and now, by a tool's journaled call, by the receiving worker); equal = agreed, and the
/// receiver may start; different = disputed, and the workflow halts with both views. Text of a message is only ever data here.
/// </summary>
internal sealed partial class Decision
{
    /// <summary>Measurements of one claim that may fail for the moment before it counts as not measured.</summary>
    private const int MeasurementsMax = 5;

    private const string OfReceiver = "receiver";

    /// <summary>The message against what each taken edge asks of it: schema, then constraints, then whether every claim is stated.</summary>
    private bool CheckHandoffs(VisitKey key, JsonElement message, List<int> edges, DecisionScope scope, out Failing failing)
    {
        failing = default!;
        foreach (var edge in edges.Select(index => Plan.Edges[index]).Where(edge => edge.Handoff is not null))
        {
            var found = SchemaFailing(edge, message) ?? ConstraintFailing(edge, scope) ?? TryState(edge, scope, out _);
            if (found is { Expected: { } check } problem)
            {
                Emit(new GuardFailed(key.Step, key.Visit, Visit(key).Attempt, "handoff", edge.Index, problem.Code, problem.Message, check, problem.Actual));
                failing = problem;
                return false;
            }
        }

        return true;
    }

    /// <summary>A required member that is missing was withheld from the receiver (MAST, FM-2.4); anything else is the wrong shape.</summary>
    private static Failing? SchemaFailing(EdgePlan edge, JsonElement message)
    {
        if (edge.Handoff!.Schema?.Validate(message) is not { IsValid: false } invalid)
        {
            return null;
        }

        var first = invalid.Errors.FirstOrDefault(IsMissing) ?? invalid.Errors[0];
        var actual = JsonPointer.TryResolve(message, first.InstancePointer, out var value) && PayloadReference.BytesOf(value).Length <= 1_024
            ? JsonMake.Object(($"output{first.InstancePointer.Replace('/', '.')}", value))
            : (JsonElement?)null;
        var words = string.Join("; ", invalid.Errors.Take(5).Select(error => $"{Pointer(error.InstancePointer)}: {error.Message}"));
        var failureClass = IsMissing(first) ? FailureClasses.InformationWithholding : FailureClasses.SchemaViolation;
        return new Failing(failureClass, "handoff_schema", $"the handoff to '{edge.Spec.To}' asks for more: {words}") { Expected = $"handoff.schema{first.SchemaPointer}", Actual = actual };
    }

    private static bool IsMissing(SchemaViolation violation) => violation.Keyword is "required" or "dependentRequired";

    private static Failing? ConstraintFailing(EdgePlan edge, DecisionScope scope)
    {
        foreach (var constraint in edge.Handoff!.Constraints)
        {
            var result = constraint.Evaluate(scope);
            if (result.Value is not CelBool { Value: true })
            {
                var words = result.Error is { } error ? $"could not be evaluated: {error.Message}" : $"does not hold: {constraint.Text}";
                return new Failing(FailureClasses.GuardFailed, "handoff_constraint", $"a constraint of the handoff to '{edge.Spec.To}' {words}")
                {
                    Expected = constraint.Text, Actual = ActualOf(constraint, scope),
                };
            }
        }

        return null;
    }

    /// <summary>What the sender states; a claim it does not state is information withheld.</summary>
    private static Failing? TryState(EdgePlan edge, DecisionScope scope, out JsonElement[] said)
    {
        said = new JsonElement[edge.Handoff!.Claims.Count];
        for (var index = 0; index < said.Length; index++)
        {
            var claim = edge.Handoff.Claims[index];
            var result = claim.Said.Evaluate(scope);
            if (result.Value is null || !result.Value.TryToJson(out said[index], out _))
            {
                return new Failing(FailureClasses.InformationWithholding, "claim_not_stated",
                    $"the sender does not state '{claim.Spec.Name}', which the handoff to '{edge.Spec.To}' needs: {result.Error?.Message ?? "the value is no JSON"}")
                {
                    Expected = claim.Said.Text, Actual = ActualOf(claim.Said, scope),
                };
            }
        }

        return null;
    }

    /// <summary>Makes the proposals of a commit, each with what its expressions see. False when a claim cannot be stated (any more).</summary>
    private bool TryPropose(StepPlan step, VisitKey key, JsonElement output, IReadOnlyList<int> edges, out List<HandoffProposed> proposals, out Failing failing)
    {
        (proposals, failing) = ([], default!);
        if (!step.LeavesByExpressions)
        {
            return true;
        }

        var scope = OutputScope(key, output);
        foreach (var edge in edges.Select(index => Plan.Edges[index]).Where(edge => edge.Handoff is not null))
        {
            if (TryState(edge, scope, out var said) is { } unstated)
            {
                failing = unstated;
                return false;
            }

            var message = Externalize(output);
            var claims = edge.Handoff!.Claims.Select((claim, index) => Claim(claim, said[index], message, scope));
            proposals.Add(new HandoffProposed(edge.Index, key.Step, key.Visit, edge.Spec.To, message, DigestOf(message), [.. claims]));
        }

        return true;
    }

    private DecisionScope OutputScope(VisitKey key, JsonElement output) => Scope(key) with
    {
        Output = (output, Plan.Expands(key) ? Plan.Step(key.Step)!.ReadSchema : Plan.Step(key.Step)!.Spec.OutputSchema),
    };

    private HandoffClaim Claim(ClaimPlan claim, JsonElement said, JsonElement message, DecisionScope scope)
    {
        if (claim.Spec.Tool is not { } tool)
        {
            return new HandoffClaim(claim.Spec.Name, said, claim.Seen is null ? OfReceiver : "expression");
        }

        // Arguments that cannot be made are left out: the measurement then says so, and the views differ.
        var arguments = claim.Arguments is { } template ? template.Evaluate(scope).Value is { } made ? Externalize(made) : (JsonElement?)null : message;
        return new HandoffClaim(claim.Spec.Name, said, "tool", tool, Present(arguments));
    }

    private void Propose(List<HandoffProposed> proposals)
    {
        foreach (var proposal in proposals)
        {
            Emit(proposal);
            var key = new HandoffKey(proposal.Edge, new VisitKey(proposal.Step, proposal.Visit));
            var scope = OutputScope(new VisitKey(proposal.Step, proposal.Visit), proposal.Message);
            foreach (var claim in Plan.Edges[proposal.Edge].Handoff!.Claims)
            {
                if (claim.Seen is { } expression)
                {
                    Measure(key, claim.Spec.Name, null, expression.Evaluate(scope));
                }
                else if (claim.Spec.Tool is not null && Unaskable(claim, proposal) is { } problem)
                {
                    Emit(new HandoffMeasured(proposal.Edge, proposal.Step, proposal.Visit, claim.Spec.Name, null, null, problem, null));
                }
            }

            Acknowledge(key, "omium");
        }
    }

    /// <summary>Why a measuring tool cannot be asked at all; null when it can.</summary>
    private EffectFailure? Unaskable(ClaimPlan claim, HandoffProposed proposal)
    {
        var tool = Plan.Tool(claim.Spec.Tool!)!;
        if (proposal.Claims.First(made => made.Name == claim.Spec.Name).Arguments is not { } arguments)
        {
            return new EffectFailure(FailureClasses.ExpressionFailed, "claim_arguments", $"the arguments of {tool.Spec.Name} cannot be made of the message", Permanent: true);
        }

        if (tool.InputSchema?.Validate(values.Resolve(arguments)) is { IsValid: false } invalid)
        {
            return new EffectFailure(FailureClasses.SchemaViolation, "arguments_schema", $"{tool.Spec.Name} does not take these arguments: {invalid.Errors[0].Message}", Permanent: true);
        }

        var refused = tool.Guards.FirstOrDefault(guard => guard.Check.Evaluate(ArgumentScope(tool, new VisitKey(proposal.Step, proposal.Visit), arguments)).Value is not CelBool { Value: true });
        return refused is null
            ? null
            : new EffectFailure(FailureClasses.OfGuardCode(refused.Spec.Code), refused.Spec.Code, refused.Spec.Message ?? $"the check does not hold: {refused.Spec.Check}", Permanent: true);
    }

    private void Measure(HandoffKey key, string claim, string? effect, ExpressionResult result)
    {
        JsonElement seen = default;
        var failure = result.Value is not null && result.Value.TryToJson(out seen, out _)
            ? null
            : new EffectFailure(FailureClasses.ExpressionFailed, "claim_expression", result.Error?.Message ?? "the value is no JSON", Permanent: true);
        Emit(new HandoffMeasured(key.Edge, key.From.Step, key.From.Visit, claim, effect, failure is null ? Present(seen) : null, failure, null));
    }

    /// <summary>The answer of a measuring tool.</summary>
    private Rejection? SettleMeasurement(EffectId id, EffectOutcome outcome)
    {
        if (!_state.Handoffs.TryGetValue(new HandoffKey(id.Number - 1, id.Key), out var handoff) || id.Sub != 'k' || id.SubNumber > handoff.Claims.Count)
        {
            return new Rejection("effect_not_found", $"no effect {id} is known here");
        }

        var claim = handoff.Claims[id.SubNumber - 1];
        if (handoff.Status != HandoffStatus.Proposed || claim.Measured || claim.Claim.By != "tool" || id.Attempt != claim.Tries + 1 || _state.Ended || !_state.IsLive(handoff))
        {
            return null; // Answered already, or nobody waits for it any more: looking changed nothing.
        }

        var plan = Plan.Edges[id.Number - 1].Handoff!.Claims[id.SubNumber - 1];
        var problem = outcome.Failure ?? (ResultProblem(Plan.Tool(claim.Claim.Tool!), outcome) is { } wrong
            ? new EffectFailure(FailureClasses.SchemaViolation, "result_schema", wrong, Permanent: true)
            : null);
        if (problem is { } failure)
        {
            long? retry = failure.Permanent || claim.FailedTries + 1 >= MeasurementsMax ? null : atMs + Math.Max(WaitBetween(claim.FailedTries + 1), failure.RetryAfterMs ?? 0);
            Emit(new HandoffMeasured(id.Number - 1, id.Step, id.Visit, claim.Claim.Name, id.ToString(), null, failure, retry));
        }
        else if (plan.Value is { } value)
        {
            Measure(handoff.Key, claim.Claim.Name, id.ToString(), value.Evaluate(Scope() with { Output = (ResultOf(outcome)!.Value, Plan.Tool(claim.Claim.Tool!)?.Spec.OutputSchema) }));
        }
        else
        {
            Emit(new HandoffMeasured(id.Number - 1, id.Step, id.Visit, claim.Claim.Name, id.ToString(), Recordable(outcome), null, null));
        }

        Acknowledge(handoff.Key, "omium");
        return null;
    }

    /// <summary>Once every claim is measured (and a worker that must answer has answered): agreed, or halt.</summary>
    private void Acknowledge(HandoffKey key, string by)
    {
        var handoff = _state.Handoffs[key];
        if (handoff.Claims.Any(claim => !claim.Measured) || (by == "omium" && PendingEffects.IsAcknowledgedByWorker(handoff, Plan)))
        {
            return;
        }

        var (edge, step, visit, round) = (key.Edge, key.From.Step, key.From.Visit, handoff.Round);
        Emit(new HandoffAcknowledged(edge, step, visit, round, by));
        var differing = _state.Handoffs[key].Claims.Where(claim => !claim.Agrees).ToArray();
        if (differing.Length == 0)
        {
            Emit(new HandoffAgreed(edge, step, visit, round));
            AfterAgreement(Plan.Edges[edge], key.From);
            return;
        }

        var code = differing.Any(claim => claim.Failure is not null) ? "not_measured" : "claims_differ";
        var message = string.Join("; ", differing.Take(5).Select(InWords));
        Emit(new HandoffDisputed(
            edge, step, visit, round, code, $"{step} and {handoff.Proposal.To} do not agree: {message}", $"{_state.Workflow}/{step}/{FailureClasses.HandoffDisputed}/{code}",
            [.. differing.Select(claim => new HandoffDifference(claim.Claim.Name, claim.Claim.Said, claim.Seen, claim.Failure?.Message))]));
        AskAboutHandoff(key);
        HaltIfDisputed();
    }

    private void AfterAgreement(EdgePlan edge, VisitKey from)
    {
        if (edge.IsLoop)
        {
            Trigger(edge, from);
        }

        foreach (var next in Plan.Step(from.Step)!.Outgoing)
        {
            _ready.Enqueue(next.Spec.To); // Those that waited for the loop, too.
        }
    }

    private static string InWords(ClaimState claim) => claim.Failure is { } failure
        ? $"{claim.Claim.Name} is said to be {Brief(claim.Claim.Said)}, and could not be measured: {failure.Message}"
        : $"{claim.Claim.Name} is said to be {Brief(claim.Claim.Said)}, seen {Brief(claim.Seen ?? JsonMake.Null)}";

    private static string Brief(JsonElement value)
    {
        var text = value.GetRawText();
        return text.Length <= 80 ? text : string.Concat(text.AsSpan(0, 80), "...");
    }

    private void AskAboutHandoff(HandoffKey key)
    {
        var handoff = _state.Handoffs[key];
        var dispute = handoff.Dispute!;
        var views = dispute.Differences.Select(difference => JsonMake.Object(
            ("claim", JsonMake.Text(difference.Claim)), ("said", difference.Said),
            ("seen", difference.Problem is null ? difference.Seen ?? JsonMake.Null : default), ("problem", difference.Problem is { } problem ? JsonMake.Text(problem) : default)));
        var shown = JsonMake.Object(
            ("class", JsonMake.Text(FailureClasses.HandoffDisputed)), ("code", JsonMake.Text(dispute.Code)), ("message", JsonMake.Text(dispute.Message)),
            ("sender", JsonMake.Text(key.From.Step)), ("receiver", JsonMake.Text(handoff.Proposal.To)), ("round", JsonMake.Integer(handoff.Round)),
            ("claims", JsonMake.Array(views)), ("handed_over", handoff.Proposal.Message));
        var decisions = new List<string>();
        if (handoff.Claims.Any(claim => claim.Claim.By != "expression"))
        {
            decisions.Add("repeat"); // What an expression sees of the same message cannot change.
        }

        decisions.Add("rollback");
        if (Plan.Step(key.From.Step)!.Agent is not null)
        {
            decisions.Add("edit");
        }

        decisions.Add("reject");
        var effect = new EffectId(key.From.Step, key.From.Visit, handoff.Round, 'h', key.Edge + 1, '\0');
        Ask(key.From, "handoff", effect.ToString(), decisions, shown);
        Notify("handoff_disputed", key.From.Step, dispute.Message);
    }

    /// <summary>Nothing new begins while agents do not agree, whatever else it was that lets the execution go on.</summary>
    private void HaltIfDisputed()
    {
        if (_state.Status == ExecutionStatus.Running && !_state.OpenReviews.IsEmpty
            && _state.OpenReviews.FirstOrDefault(id => _state.Reviews[id].Request.Kind is "handoff" or "verification") is { } open)
        {
            Emit(new ExecutionPaused(_state.Reviews[open].Request.Kind == "handoff" ? "handoff_disputed" : "verification_split", "policy", null));
        }
    }

    private Rejection? DecideHandoff(ReviewRequested request, DecideReview command)
    {
        _ = EffectId.TryParse(request.Effect!, out var id);
        var key = new HandoffKey(id.Number - 1, id.Key);
        var step = Plan.Step(request.Step)!;
        switch (command.Decision)
        {
            case "edit" when CheckEdits(step, command.Edits) is { } refused:
                return refused;
            case "rollback" or "edit":
                return SendAgain(step, key.From, command);
        }

        Emit(Decided(command));
        if (command.Decision == "repeat")
        {
            Emit(new HandoffRepeated(key.Edge, key.From.Step, key.From.Visit, _state.Handoffs[key].Round + 1, command.By));
        }

        Resume(command.By, key.From);
        EndIfRejected();
        EnqueueAll();
        return null;
    }

    /// <summary>Takes the sender back to the checkpoint before it (or to the one named) and runs it again.</summary>
    private Rejection? SendAgain(StepPlan step, VisitKey sender, DecideReview command)
    {
        if (!TryAffected(sender, command.To ?? "last", out var target, out var affected))
        {
            return new Rejection("checkpoint_not_found", $"no checkpoint '{command.To}' lies before {sender.Step}");
        }

        if (PastFork(affected) is { } past)
        {
            return past;
        }

        var effects = StandingEffects(affected);
        if (effects.FirstOrDefault(call => EffectOf(call).Compensate is null) is { } blocked)
        {
            return new Rejection("rollback_irreversible", $"{blocked.Tool} ({blocked.Id}) cannot be undone: {step.Spec.Id} cannot run again");
        }

        Emit(Decided(command, command.Edits));
        if (command is { Decision: "edit", Edits: { } edits })
        {
            Emit(new EditsApplied(step.Spec.Agent!, edits, command.By));
        }

        Resume(command.By, sender);
        PlanRollback(target, "failure", affected, [.. effects.Select(call => call.Id.ToString())], "person", command.By, null, new RollbackSequel(null, null, true, false));
        return null;
    }

    /// <summary>A rejected handoff ends the execution as soon as it runs; while it waited for another answer, that had to wait.</summary>
    private void EndIfRejected()
    {
        if (_state.Status == ExecutionStatus.Running && _state.DisputedHandoffs.FirstOrDefault(handoff => handoff.Status == HandoffStatus.Rejected) is { Dispute: { } dispute } handoff)
        {
            Emit(new ExecutionFailed(handoff.Key.From.Step, handoff.Key.From.Visit, FailureClasses.HandoffDisputed, dispute.Code, dispute.Message));
        }
    }

    private void RevokeHandoffs(IReadOnlyList<VisitKey> takenBack)
    {
        var senders = takenBack.ToHashSet();
        foreach (var handoff in _state.Handoffs.Values.Where(handoff => handoff.Status != HandoffStatus.Revoked && senders.Contains(handoff.Key.From)).OrderBy(handoff => handoff.Ordinal))
        {
            Emit(new HandoffRevoked(handoff.Key.Edge, handoff.Key.From.Step, handoff.Key.From.Visit, _state.Rollbacks));
        }
    }
}
