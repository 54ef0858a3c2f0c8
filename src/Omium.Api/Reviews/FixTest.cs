using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Omium.Api.Executions;
using Omium.Kernel.Executions;
using Omium.Kernel.Json;
using Omium.Runtime.Executions;

namespace Omium.Api.Reviews;

/// <summary>What a test came to: passed, failed, or inconclusive when it would have had to touch the world, or the model could not be asked.</summary>
internal sealed record FixTestResult(string Outcome, string? Problem)
{
    public JsonElement? Output { get; init; }

    public IReadOnlyList<CheckResult> Checks { get; init; } = [];

    public IReadOnlyList<JsonElement> UnrecordedCalls { get; init; } = [];

    public EffectFailure? Failure { get; init; }

    public long InputTokens { get; init; }

    public long OutputTokens { get; init; }
}

/// <summary>
/// Tries an edit of an agent beside its execution. The model is asked as a new attempt would ask it; a tool is never reached: a call that the
/// visit has made before (same tool, same arguments, n-th time) is answered with what is on record, any other ends the test as inconclusive.
/// </summary>
internal sealed class FixTest(ApiServices services, Keys.Caller caller, ExecutionCell cell, ExecutionState state, VisitKey key, AgentEdit edit)
{
    private readonly VisitState _failed = state.Visits[key];
    private readonly Dictionary<(string Tool, string Digest), int> _asked = [];
    private long _inputTokens, _outputTokens;

    private IReadOnlyList<string> Allowed =>
        AgentConversation.Effective(cell.Plan!.Step(key.Step)!.Agent!, state.Edits.GetValueOrDefault(cell.Plan.Step(key.Step)!.Agent!.Id), edit).Tools;

    public async Task<FixTestResult> RunAsync(CancellationToken cancellation)
    {
        var result = await AskAsync(cancellation);
        return result with { InputTokens = _inputTokens, OutputTokens = _outputTokens };
    }

    private async Task<FixTestResult> AskAsync(CancellationToken cancellation)
    {
        var plan = cell.Plan!;
        var payloads = await AnswerPayloads.LoadAsync(services, cell, state, cancellation);
        var visit = FixTrial.Fresh(_failed);
        var turnsMax = plan.Step(key.Step)!.Agent!.TurnsMax;
        for (var turn = 1; turn <= turnsMax; turn++)
        {
            var request = AgentConversation.Build(state, plan, visit, edit, payloads.Show);
            var outcome = await AskAsync(request, cancellation);
            if (outcome.Answer is not { } answer)
            {
                return new FixTestResult("inconclusive", outcome.Failure?.Message ?? "the model gave no answer") { Failure = outcome.Failure };
            }

            _inputTokens += answer.InputTokens;
            _outputTokens += answer.OutputTokens;
            if (answer.FinishReason is "length" or "content_filter" && answer.Refusal is null)
            {
                return new FixTestResult("failed", answer.FinishReason == "length" ? "the answer was cut off at its token limit" : "the endpoint's content filter withheld the answer");
            }

            if (answer.ToolCalls.Count == 0)
            {
                return Judge(answer, visit, payloads);
            }

            if (Replay(ref visit, answer, turn, payloads) is { Count: > 0 } unrecorded)
            {
                return new FixTestResult("inconclusive", "the agent now asks for a call that was not made before; a test makes none") { UnrecordedCalls = unrecorded };
            }
        }

        return new FixTestResult("failed", $"the agent took {turnsMax} turns, its limit, without an answer");
    }

    /// <summary>One question, paid for like those of an execution: reserved before it is asked, charged by what was read and written.</summary>
    private async Task<EffectOutcome> AskAsync(ModelRequest request, CancellationToken cancellation)
    {
        if (services.Credits.Executions is not { } credits)
        {
            return await services.Model.AnswerAsync(request, null, cancellation);
        }

        var (reserved, refused) = await credits.ReserveTrialAsync(cell, $"trial~{Guid.NewGuid():N}", caller.KeyId, caller.SpendCapCredits, request);
        if (refused is not null)
        {
            return new EffectOutcome { Failure = new EffectFailure(Kernel.Specs.FailureClasses.CreditsExhausted, refused.Code, refused.Message) };
        }

        var outcome = await services.Model.AnswerAsync(request, null, cancellation);
        if (reserved is not null)
        {
            await credits.ChargeTrialAsync(cell, reserved, outcome);
        }

        return outcome;
    }

    private FixTestResult Judge(ModelAnswer answer, VisitState visit, AnswerPayloads payloads)
    {
        var values = new DecisionValues(cell.Plan!);
        foreach (var (digest, payload) in payloads.Found)
        {
            values.Payloads[digest] = payload;
        }

        var trial = FixTrial.Judge(state, values, visit, answer, services.Advancer.NowMs);
        var failing = trial.Checks.FirstOrDefault(check => !check.Passed);
        return new FixTestResult(trial.Passed ? "passed" : "failed", trial.Problem ?? failing?.Message) { Output = trial.Output, Checks = trial.Checks };
    }

    /// <summary>Answers a turn's calls from the record and puts them into the visit on trial; gives those that are not on record.</summary>
    private List<JsonElement> Replay(ref VisitState visit, ModelAnswer answer, int turn, AnswerPayloads payloads)
    {
        var unrecorded = new List<JsonElement>();
        var calls = ImmutableList.CreateBuilder<CallState>();
        foreach (var asked in answer.ToolCalls)
        {
            var arguments = string.IsNullOrWhiteSpace(asked.Arguments) ? "{}" : asked.Arguments;
            var id = EffectId.Call(key, visit.Attempt, visit.Calls.Count + calls.Count + 1);
            if (!Allowed.Contains(asked.Name))
            {
                calls.Add(new CallState(id, asked.Name) { ToolCallId = asked.Id, Turn = turn, Status = CallStatus.Refused, Refusal = $"there is no tool '{asked.Name}' for this agent" });
            }
            else if (!CanonicalJson.TryParse(Encoding.UTF8.GetBytes(arguments), out var canonical, out var problem))
            {
                calls.Add(new CallState(id, asked.Name) { ToolCallId = asked.Id, Turn = turn, Status = CallStatus.Refused, Refusal = $"the arguments are not JSON: {problem!.Message}" });
            }
            else if (Recorded(asked.Name, CanonicalJson.Digest(canonical)) is { } recorded)
            {
                calls.Add(recorded with { Id = id, ToolCallId = asked.Id, Turn = turn, Result = payloads.Show(recorded.Result) });
            }
            else
            {
                unrecorded.Add(JsonMake.Object(("tool", JsonMake.Text(asked.Name)), ("arguments", canonical)));
            }
        }

        visit = visit with
        {
            Turns = visit.Turns.Add(new ModelAnswered(key.Step, key.Visit, visit.Attempt, turn, answer.Content, answer.ToolCalls, answer.InputTokens, answer.OutputTokens)),
            Calls = visit.Calls.AddRange(calls),
        };
        return unrecorded;
    }

    /// <summary>The n-th call of this tool with these arguments in the newest attempt that made any, whatever came of it.</summary>
    private CallState? Recorded(string tool, string digest)
    {
        var occurrence = _asked[(tool, digest)] = _asked.GetValueOrDefault((tool, digest)) + 1;
        return _failed.Calls
            .Where(call => call.Tool == tool && call.ArgumentsDigest == digest && (call.Result ?? (object?)call.Failure ?? call.Refusal) is not null)
            .GroupBy(call => call.Id.Attempt)
            .OrderByDescending(attempt => attempt.Key)
            .FirstOrDefault()?
            .ElementAtOrDefault(occurrence - 1);
    }
}
