using System.Text;
using System.Text.Json;
using Omium.Kernel.Json;
using Omium.Kernel.Specs;

namespace Omium.Kernel.Executions;

/// <summary>What comes back from models and tools, and the way to the commit.</summary>
internal sealed partial class Decision
{
    private Rejection? Settle(SettleEffect command)
    {
        if (!EffectId.TryParse(command.Effect, out var id) || !_state.Visits.TryGetValue(id.Key, out var visit) || Plan.Step(id.Step) is not { } step)
        {
            return new Rejection("effect_not_found", $"no effect {command.Effect} is known here");
        }

        if (id.Part == 'h')
        {
            return SettleMeasurement(id, command.Outcome);
        }

        if (id.Part == 'j')
        {
            return SettleVerifier(step, visit, id, command.Outcome);
        }

        if (id.Part == 'm')
        {
            return SettleModel(step, visit, id, command.Outcome);
        }

        var call = visit.Calls.Find(candidate => candidate.Id == id.WithoutSub);
        return call is null
            ? new Rejection("effect_not_found", $"no effect {command.Effect} is known here")
            : id.Sub switch
            {
                'v' => SettleProbe(step, visit, call, id.SubNumber, command.Outcome),
                'u' => SettleCompensation(call, id.SubNumber, command.Outcome),
                'w' => SettleUndoProbe(call, id.SubNumber, command.Outcome),
                _ => SettleCall(step, visit, call, command.Run, command.Outcome),
            };
    }

    private Rejection? SettleModel(StepPlan step, VisitState visit, EffectId id, EffectOutcome outcome)
    {
        var expected = visit.Turns.Count + 1;
        var answered = visit.Verification is not null || visit.Shared?.Writing is not null; // Its last turn has given the output that is being verified or written.
        if (step.Spec.Type != StepType.AgentTask || id.Attempt != visit.Attempt || id.Number != expected || answered)
        {
            return null;
        }

        if (_state.Ended || visit.Status != VisitStatus.Open || visit.CurrentCalls.Any(call => call.Outstanding) || PendingEffects.WaitsForRetry(visit, Plan))
        {
            Discard(visit, id);
            return null;
        }

        if (outcome.Failure is { } failure)
        {
            Fail(visit.Key, Failing(failure));
            return null;
        }

        var answer = WellFormed(outcome.Answer ?? new ModelAnswer { Content = outcome.Result?.GetRawText() });
        (_inputTokens, _outputTokens) = (answer.InputTokens, answer.OutputTokens);
        if (Withheld(answer) is { } withheld)
        {
            Fail(visit.Key, withheld);
        }
        else if (answer.ToolCalls.Count > 0)
        {
            RequestAgentCalls(step, visit, answer);
        }
        else if (answer.Output is { } read)
        {
            Finish(step, visit.Key, values.Resolve(read));
        }
        else if (TryReadAnswer(step, answer.Content, out var output, out var problem))
        {
            Finish(step, visit.Key, output);
        }
        else
        {
            Fail(visit.Key, new Failing(FailureClasses.SchemaViolation, "malformed_answer", problem) { Output = Externalize(JsonMake.Text(answer.Content ?? "")) });
        }

        return null;
    }

    /// <summary>Half a surrogate pair cannot be stored: the record would say something else than what was decided on.</summary>
    private static ModelAnswer WellFormed(ModelAnswer answer)
    {
        return answer with
        {
            Content = answer.Content is { } content ? Mend(content) : null,
            Refusal = answer.Refusal is { } refusal ? Mend(refusal) : null,
            ToolCalls = [.. answer.ToolCalls.Select(call => new ModelToolCall(Mend(call.Id), Mend(call.Name), Mend(call.Arguments)))],
        };
    }

    internal static string Mend(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));

    /// <summary>Why an answer that came is none; null when it is one.</summary>
    private static Failing? Withheld(ModelAnswer answer) => answer switch
    {
        { Refusal: { } refusal } => new Failing(FailureClasses.ModelError, "model_refused", $"the model refused: {Shorten(refusal)}") { Permanent = true },
        { FinishReason: "length" } => new Failing(FailureClasses.ModelError, "answer_truncated", "the answer was cut off at its token limit") { Permanent = true },
        { FinishReason: "content_filter" } => new Failing(FailureClasses.ModelError, "content_filtered", "the endpoint's content filter withheld the answer") { Permanent = true },
        _ => null,
    };

    /// <summary>A result that nobody waits for any more: on record once, without consequence; one for a visit that goes on is a repetition.</summary>
    private void Discard(VisitState visit, EffectId id)
    {
        var reason = visit.Status == VisitStatus.RolledBack ? "rolled_back" : _state.Ended && visit.Status == VisitStatus.Open ? "ended" : null;
        var consumed = visit.CommitOrdinal > 0 || visit.Failures.Any(known => known.Failure.Attempt == id.Attempt); // It came before, and this is a repetition.
        if (reason is not null && !consumed && !_state.DiscardedResults.Contains(id.ToString()))
        {
            Emit(new ResultDiscarded(id.ToString(), reason));
        }
    }

    /// <summary>
    /// Reads an answer: with an output schema it must be JSON (a surrounding Markdown fence is forgiven); without one, JSON objects and
    /// arrays are taken as such and everything else as text.
    /// </summary>
    internal static bool TryReadAnswer(StepPlan step, string? content, out JsonElement output, out string problem)
    {
        (output, problem) = (default, "");
        if (string.IsNullOrWhiteSpace(content))
        {
            problem = "the model answered nothing";
            return false;
        }

        var text = WithoutFence(content.Trim());
        if (CanonicalJson.TryParse(Encoding.UTF8.GetBytes(text), out output, out var error))
        {
            var structured = output.ValueKind is JsonValueKind.Object or JsonValueKind.Array;
            var asText = IsText(step.Spec.OutputSchema) ? output.ValueKind != JsonValueKind.String : step.OutputSchema is null && !structured;
            if (!asText && PayloadReference.IsNamedIn(output))
            {
                problem = $"the answer uses the reserved name {PayloadReference.Member}";
                return false;
            }

            output = asText ? JsonMake.Text(content) : output;
            return true;
        }

        if (step.OutputSchema is null || IsText(step.Spec.OutputSchema))
        {
            output = JsonMake.Text(content);
            return true;
        }

        problem = $"the answer is not JSON: {error?.Message}";
        return false;
    }

    private static bool IsText(JsonElement? schema) =>
        schema is { ValueKind: JsonValueKind.Object } declared && declared.TryGetProperty("type", out var type)
        && type.ValueKind == JsonValueKind.String && type.ValueEquals("string"u8);

    private static string WithoutFence(string text)
    {
        if (!text.StartsWith("```", StringComparison.Ordinal) || !text.EndsWith("```", StringComparison.Ordinal))
        {
            return text;
        }

        var first = text.IndexOf('\n', StringComparison.Ordinal);
        return first < 0 || first >= text.Length - 3 ? text : text[(first + 1)..^3].Trim();
    }

    /// <summary>An output: schema, postconditions, edges; then whoever verifies it, the writes it makes, and the commit.</summary>
    private void Finish(StepPlan step, VisitKey key, JsonElement output, string? by = null)
    {
        if (!Accept(step, key, output, out var edges, out var failing, by is not null))
        {
            Fail(key, failing with { Output = failing.Output ?? Externalize(output) });
        }
        else if (step.Spec.Verifiers is not null && by is null && !VerifiesArguments(step) && !Plan.Expands(key) && !HasLostLocks(key))
        {
            AskVerifiers(step, key, "output", Externalize(output), edges); // Of a for_each step they judge each item, not the list of them.
        }
        else
        {
            WriteAndCommit(step, key, output, edges, by);
        }
    }

    /// <summary>What is left for an output that is accepted, and agreed on where verifiers were asked: the writes are prepared, then it is committed.</summary>
    private void WriteAndCommit(StepPlan step, VisitKey key, JsonElement output, IReadOnlyList<int> edges, string? by)
    {
        if (HasLostLocks(key))
        {
            Fail(key, new Failing(FailureClasses.LockConflict, LockLost, "its locks were given to others who had waited for longer than the lease: what it did was not alone"));
        }
        else if (step.Shared is { Writes.Count: > 0 } && !key.IsItem)
        {
            RequestWrites(step, key, output, edges, by);
        }
        else
        {
            Commit(step, key, output, edges, by);
        }
    }

    /// <summary>True when a visit gave its locks up while it worked or was looked at, and does not hold them again yet.</summary>
    private bool HasLostLocks(VisitKey key) => Visit(key).Shared is { Locks: LockPhase.Yielded } or { Locks: LockPhase.Released, Gathering: true };

    /// <summary>
    /// The commit point: the output, its checkpoint, and what it hands over, in one append; with it what has been prepared of its writes. One that is
    /// refused here has written nothing.
    /// </summary>
    private void Commit(StepPlan step, VisitKey key, JsonElement output, IReadOnlyList<int> edges, string? by, IReadOnlyList<string>? prepared = null)
    {
        if (!TryPropose(step, key, output, edges, out var proposals, out var failing))
        {
            Fail(key, failing with { Output = Externalize(output) });
            return;
        }

        var stored = Externalize(output);
        if (by is null && Repetition(step, key, stored) is { } repetition)
        {
            Fail(key, repetition with { Output = stored });
            return;
        }

        if (prepared is not null)
        {
            Emit(new WritesPrepared(key.Step, key.Visit, Visit(key).Attempt, prepared));
        }

        Emit(new StepCommitted(
            key.Step, key.Visit, Visit(key).Attempt, stored, key.IsItem ? null : Project(step, stored), edges.Count == 0 ? null : edges, by, Take(ref _inputTokens), Take(ref _outputTokens)));
        if (Visit(key).ItemOf is { } parent)
        {
            _expanded.Enqueue(parent); // Its step makes the checkpoint and takes the edges.
            return;
        }

        if (step.CheckpointName is { } checkpoint)
        {
            Emit(new CheckpointCommitted(checkpoint, key.Step, key.Visit));
        }

        Propose(proposals);
        Leave(key);
    }

    /// <summary>Tokens of the answer under decision: they go into one event, whatever comes of the answer.</summary>
    private static long Take(ref long tokens)
    {
        var taken = tokens;
        tokens = 0;
        return taken;
    }

    /// <summary>Whether an output may be committed, and which edges it takes. One that a person gives is not judged by how it came about.</summary>
    private bool Accept(StepPlan step, VisitKey key, JsonElement output, out List<int> edges, out Failing failing, bool byPerson = false)
    {
        edges = [];
        if (Plan.Expands(key))
        {
            var ofStep = Scope(key) with { Output = (output, step.ReadSchema) };
            return Check(step.ForEach!.Post, "post", key, ofStep, out failing) && TryLeave(step, key, output, out edges, out failing);
        }

        var resolved = values.Resolve(output);
        if (step.OutputSchema?.Validate(resolved) is { IsValid: false } invalid)
        {
            var first = invalid.Errors[0];
            var message = string.Join("; ", invalid.Errors.Take(5).Select(error => $"{Pointer(error.InstancePointer)}: {error.Message}"));
            var actual = JsonPointer.TryResolve(resolved, first.InstancePointer, out var value) && PayloadReference.BytesOf(value).Length <= 1_024
                ? JsonMake.Object(($"output{first.InstancePointer.Replace('/', '.')}", value))
                : (JsonElement?)null;
            Emit(new GuardFailed(key.Step, key.Visit, Visit(key).Attempt, "schema", 0, FailureClasses.SchemaViolation, message, $"schema{first.SchemaPointer}", actual));
            failing = new Failing(FailureClasses.SchemaViolation, FailureClasses.SchemaViolation, message) { Expected = $"schema{first.SchemaPointer}", Actual = actual };
            return false;
        }

        failing = default!;
        var holds = step.Post.Count == 0 || Check(step.Post, "post", key, Scope(key) with { Output = (output, step.Spec.OutputSchema) }, out failing, byPerson);
        return holds && (key.IsItem || TryLeave(step, key, output, out edges, out failing));
    }

    /// <summary>The edges that an output takes, and whether what they hand over can be handed over.</summary>
    private bool TryLeave(StepPlan step, VisitKey key, JsonElement output, out List<int> edges, out Failing failing)
    {
        var scope = step.LeavesByExpressions ? OutputScope(key, output) : null;
        return TakeEdges(step, EdgeOn.Success, scope, out edges, out failing) && (scope is null || CheckHandoffs(key, values.Resolve(output), edges, scope, out failing));
    }

    /// <summary>Of a referenced output, the parts that expressions read, as long as they stay under 16 KiB together.</summary>
    private JsonElement? Project(StepPlan step, JsonElement stored)
    {
        const int ProjectionBytesMax = 16_384;
        if (!PayloadReference.TryRead(stored, out var digest, out _) || !values.Payloads.TryGetValue(digest, out var whole) || step.Projections.Count == 0)
        {
            return null;
        }

        var root = new ProjectionNode();
        foreach (var path in step.Projections)
        {
            root.Add(whole, path);
        }

        var projection = root.ToJson();
        return PayloadReference.BytesOf(projection).Length <= ProjectionBytesMax ? projection : null;
    }

    private static Failing Failing(EffectFailure failure) => new(failure.Class, failure.Code, failure.Message)
    {
        RetryAfterMs = failure.RetryAfterMs, Permanent = failure.Permanent,
    };

    private static string Shorten(string text) => text.Length <= 500 ? text : string.Concat(text.AsSpan(0, 500), "...");

    /// <summary>A tree of the members that are kept.</summary>
    private sealed class ProjectionNode
    {
        private readonly SortedDictionary<string, ProjectionNode> _members = new(StringComparer.Ordinal);
        private JsonElement? _value;

        public void Add(JsonElement value, IReadOnlyList<string> path)
        {
            var node = this;
            foreach (var segment in path)
            {
                if (value.ValueKind != JsonValueKind.Object || !value.TryGetProperty(segment, out var inner))
                {
                    return;
                }

                value = inner;
                node = node._members.TryGetValue(segment, out var known) ? known : node._members[segment] = new ProjectionNode();
            }

            node._value = value;
        }

        public JsonElement ToJson() => _value ?? JsonMake.Object([.. _members.Select(member => (member.Key, member.Value.ToJson()))]);
    }
}
