using System.Text.Json;
using Omium.Contracts.Failures;
using Omium.Kernel.Executions;
using Omium.Kernel.Specs;
using Omium.Runtime.Resources;

namespace Omium.Api.Failures;

/// <summary>
/// Where a failure began, as far as the log shows. The chain is what the failed step's input was made from. The root is the first step on it whose
/// own output violates what the failed check needed (the check, asked of that output, is false too; or the check reads nothing but that step);
/// else the failed step itself.
/// </summary>
internal static class RootCauses
{
    private const int FactsMax = 5;

    /// <summary>The visits that contributed, oldest first, the failed one last.</summary>
    public static IReadOnlyList<VisitState> Chain(ExecutionState before, VisitState failed)
    {
        var seen = new Dictionary<VisitKey, VisitState> { [failed.Key] = failed };
        var queue = new Queue<VisitState>([failed]);
        while (queue.TryDequeue(out var visit))
        {
            foreach (var key in visit.Reads.Count > 0 ? visit.Reads : visit.After)
            {
                if (!seen.ContainsKey(key) && before.Visits.TryGetValue(key, out var source))
                {
                    seen[key] = source;
                    queue.Enqueue(source);
                }
            }
        }

        return [.. seen.Values.OrderBy(visit => visit.Key == failed.Key ? int.MaxValue : visit.Ordinal)];
    }

    public static RootCause Find(FailureStory story, IReadOnlyList<VisitState> chain, DecisionValues values, JsonElement input, AgentSpec? agent)
    {
        var failure = story.Failure;
        if (Overtaken(story) is { } overtaken)
        {
            return overtaken;
        }

        if (Traced(story.Before, values, chain[^1], failure, story.AtMs) is { } traced)
        {
            return traced;
        }

        foreach (var source in chain.Where(visit => visit.Key.Step != failure.Step && visit.Output is not null))
        {
            if (PassedOn(story, source, values) is { } passed)
            {
                return passed;
            }
        }

        return new RootCause(failure.Step, failure.Visit, Explain(failure, input, agent));
    }

    /// <summary>A stale read began where the newer version was written: at a step of this execution, or elsewhere (then at the step that had read the old one).</summary>
    private static RootCause? Overtaken(FailureStory story)
    {
        if (story.Failure is not { Class: FailureClasses.StaleRead, Actual: { ValueKind: JsonValueKind.Object } seen }
            || !seen.TryGetProperty("writer", out var writer) || !seen.TryGetProperty("reader", out var reader))
        {
            return null;
        }

        var isOwn = SharedNames.TryRead(writer.GetString()!, "", out var execution, out var visit, out _) && execution.Id == story.Before.ExecutionId;
        if (!isOwn && !SharedNames.TryRead($"{story.Before.ExecutionId}/{reader.GetString()}", "", out _, out visit, out _))
        {
            return null;
        }

        return new RootCause(visit.Step, visit.Visit, $"{story.Failure.Message}.");
    }

    /// <summary>A dispute begins between two agents: who of them is right, only the source can tell.</summary>
    public static RootCause OfDispute(HandoffDisputed dispute) => new(
        dispute.Step, dispute.Visit, $"{dispute.Message}. Either {dispute.Step} states what it did not hand over, or the receiving side holds less than it was given: the source tells which.");

    /// <summary>The first step whose output held the value that the check refuses, however far back; null when the failed step brought it in.</summary>
    public static RootCause? Traced(ExecutionState state, DecisionValues values, VisitState failed, StepFailed failure, long atMs)
    {
        if (DataFlow.Trace(state, values, failed, failure, atMs) is not [var origin, ..] trail)
        {
            return null;
        }

        var steps = trail.Select(hop => hop.Visit.Step).Where(step => step != origin.Visit.Step && step != failure.Step).Distinct().ToArray();
        var over = steps.Length switch { 0 => "", <= 3 => $" by way of {string.Join(", ", steps)}", _ => $" by way of {steps[0]} and {steps.Length - 1} more" };
        var value = Short(origin.Value.GetRawText());
        return new RootCause(
            origin.Visit.Step, origin.Visit.Visit,
            $"{origin.Visit.Step} answered {origin.Path["output".Length..].TrimStart('.')} {value}, and it reached {failure.Step}{over}, which needs {failure.Expected}.")
        {
            Path = origin.Path,
            Value = origin.Value,
            Trail = [.. trail.Select(hop => new ValueHop(hop.Visit.Step, hop.Visit.Visit, hop.Path, hop.Value))],
        };
    }

    private static RootCause? PassedOn(FailureStory story, VisitState source, DecisionValues values)
    {
        var failure = story.Failure;
        if (failure.Expected is not { } check || Members(failure.Actual) is not { Count: > 0 } actual)
        {
            return null;
        }

        var outputs = actual.Where(member => member.Path.StartsWith("output.", StringComparison.Ordinal)).ToArray();
        if (outputs.Length == 0)
        {
            var prefix = $"steps.{source.Key.Step}.output";
            var read = actual.Where(member => member.Path.StartsWith(prefix, StringComparison.Ordinal)).ToArray();
            return read.Length == 0 ? null : new RootCause(
                source.Key.Step, source.Key.Visit, $"{failure.Step} depends on what {source.Key.Step} answered: {Facts(read)}. The check ({check}) needs something else.");
        }

        var asked = FixTrial.Checks(story.Before, values, failure.Step, source.Output!.Value, story.AtMs).FirstOrDefault(result => result.Check == check);
        var seen = asked is { Passed: false } ? Members(asked.Actual) : [];
        return outputs.All(output => seen.Any(member => member.Path == output.Path && JsonElement.DeepEquals(member.Value, output.Value)))
            ? new RootCause(source.Key.Step, source.Key.Visit, $"{source.Key.Step} answered {Facts(outputs)} already; {failure.Step} passed it on.")
            : null;
    }

    private static string Explain(StepFailed failure, JsonElement input, AgentSpec? agent)
    {
        if (FailureClasses.Transient.Contains(failure.Class) || failure.Class is FailureClasses.InDoubt or FailureClasses.Rejected)
        {
            return $"{failure.Step} failed by itself ({failure.Class}): {failure.Message}.";
        }

        var answered = Members(failure.Actual).Where(member => member.Path.StartsWith("output.", StringComparison.Ordinal)).ToArray();
        var said = answered.Length > 0 ? $"{failure.Step} answered {Facts(answered)}" : $"{failure.Step} failed: {failure.Message}";
        var facts = input.ValueKind == JsonValueKind.Object ? Facts([.. input.EnumerateObject().Select(member => (member.Name, member.Value))]) : "";
        var although = facts.Length > 0 ? $", although its inputs ({facts}) are sound" : "";
        return $"{said}{although}{Because(failure, answered, agent)}.";
    }

    private static string Because(StepFailed failure, (string Path, JsonElement Value)[] answered, AgentSpec? agent)
    {
        if (agent is null || failure.Expected is not { } check || answered.Length == 0)
        {
            return "";
        }

        var told = string.Join('\n', agent.Constraints.Prepend(agent.Prompt));
        var literals = GuardWords.Literals(check);
        var names = string.Join(" and ", answered.Select(member => GuardWords.Name(member.Path)).Distinct());
        return literals.Count > 0 && literals.All(literal => told.Contains(literal, StringComparison.OrdinalIgnoreCase))
            ? ": its prompt states the rule, and the answer breaks it all the same"
            : $": nothing in its prompt bounds {names}";
    }

    private static string Facts(IReadOnlyList<(string Path, JsonElement Value)> members) => string.Join(", ", members
        .Where(member => member.Value.ValueKind is JsonValueKind.Number or JsonValueKind.String or JsonValueKind.True or JsonValueKind.False)
        .Take(FactsMax)
        .Select(member => $"{GuardWords.Name(member.Path)} {Short(member.Value.ToString())}"));

    private static string Short(string text) => text.Length <= 60 ? text : string.Concat(text.AsSpan(0, 60), "...");

    private static List<(string Path, JsonElement Value)> Members(JsonElement? actual) =>
        actual is { ValueKind: JsonValueKind.Object } seen ? [.. seen.EnumerateObject().Select(member => (member.Name, member.Value))] : [];
}
