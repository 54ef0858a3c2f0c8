using System.Text.Json;
using Omium.Kernel.Expressions;
using Omium.Kernel.Json;
using Omium.Kernel.Specs;

namespace Omium.Kernel.Executions;

/// <summary>A value on its way: the visit whose output (or input) held it, where in it, and the value.</summary>
public readonly record struct DataHop(VisitKey Visit, string Path, JsonElement Value);

/// <summary>
/// Where the values that a failed check saw came from: walked back along what each step's input was made from, as far as the value is found there
/// unchanged, over any number of steps. Evidence, not proof: a value that a step computes anew begins with that step.
/// </summary>
public static class DataFlow
{
    private const int HopsMax = 20_000, LeavesMax = 10_000;

    /// <summary>
    /// The way of the earliest offending value, from the visit whose output first held it to the failed one; empty when it was the failed step that
    /// brought it in. <paramref name="state"/>: as it was when the attempt failed.
    /// </summary>
    public static IReadOnlyList<DataHop> Trace(ExecutionState state, DecisionValues values, VisitState failed, StepFailed failure, long atMs)
    {
        IReadOnlyList<DataHop> found = [];
        var earliest = int.MaxValue;
        foreach (var (path, value) in Offending(state, values, failure, atMs))
        {
            var way = new Walk(state, values, failed).From(path, value);
            if (way.Count > 0 && state.Visits[way[0].Visit].Ordinal is var ordinal && ordinal < earliest)
            {
                (found, earliest) = (way, ordinal);
            }
        }

        return found;
    }

    /// <summary>Paths and values of the parts of the check that do not hold: of a conjunction, only those.</summary>
    private static IEnumerable<(ExpressionPath Path, JsonElement Value)> Offending(ExecutionState state, DecisionValues values, StepFailed failure, long atMs)
    {
        if (failure is not { Expected: { } check, Actual: { ValueKind: JsonValueKind.Object } actual } || CelExpression.TryCompile(check, out _) is not { } whole)
        {
            yield break;
        }

        var scope = new DecisionScope(state, values.Plan, values, atMs) { Output = failure.Output is { } output ? (output, values.Plan.Step(failure.Step)?.Spec.OutputSchema) : null };
        var parts = check.Split("&&").Select(part => CelExpression.TryCompile(part.Trim(), out _)).ToArray();
        var broken = parts.Any(part => part is null) ? [whole] : parts.OfType<CelExpression>().Where(part => part.Evaluate(scope).Value is not CelBool { Value: true }).ToArray();
        foreach (var path in (broken.Length == 0 ? [whole] : broken).SelectMany(part => part.Paths).DistinctBy(path => path.ToString()))
        {
            if (actual.TryGetProperty(path.ToString(), out var value) && IsScalar(value))
            {
                yield return (path, value);
            }
        }
    }

    private static bool IsScalar(JsonElement value) => value.ValueKind is JsonValueKind.Number or JsonValueKind.String or JsonValueKind.True or JsonValueKind.False;

    private sealed class Walk(ExecutionState state, DecisionValues values, VisitState failed)
    {
        private readonly Dictionary<(VisitKey, string), DataHop?> _next = [];
        private readonly Queue<DataHop> _open = new();

        public List<DataHop> From(ExpressionPath path, JsonElement value)
        {
            var start = Start(path, value);
            if (start is not { } first)
            {
                return [];
            }

            _next[(first.Visit, first.Path)] = null;
            _open.Enqueue(first);
            var origin = first;
            while (_open.TryDequeue(out var hop) && _next.Count < HopsMax)
            {
                var sources = Sources(hop);
                foreach (var source in sources)
                {
                    if (_next.TryAdd((source.Visit, source.Path), hop))
                    {
                        _open.Enqueue(source);
                    }
                }

                if (sources.Count == 0 && Visit(hop.Visit).Ordinal < Visit(origin.Visit).Ordinal)
                {
                    origin = hop;
                }
            }

            return origin.Visit == failed.Key ? [] : Way(origin);
        }

        /// <summary>Where the walk begins: at the step that the check names, else at the failed one.</summary>
        private DataHop? Start(ExpressionPath path, JsonElement value) => path switch
        {
            { Root: "output" } => new DataHop(failed.Key, path.ToString(), value),
            { Root: "steps", Segments: [var step, "output", ..] } when state.StandingVisit(step) is { } visit => new DataHop(visit.Key, string.Join('.', path.Segments.Skip(1)), value),
            { Root: "input" } when values.Plan.Step(failed.Key.Step)?.Spec.Type == StepType.ToolCall => new DataHop(failed.Key, path.ToString(), value),
            _ => null,
        };

        private List<DataHop> Way(DataHop origin)
        {
            var way = new List<DataHop> { origin };
            for (var hop = _next[(origin.Visit, origin.Path)]; hop is { } next; hop = _next[(next.Visit, next.Path)])
            {
                way.Add(next);
            }

            return way;
        }

        /// <summary>The visits that a visit's input was made from, in whose outputs the value is found.</summary>
        private List<DataHop> Sources(DataHop hop)
        {
            var visit = Visit(hop.Visit);
            var sources = new List<DataHop>();
            foreach (var key in visit.Reads)
            {
                if (state.Visits.TryGetValue(key, out var source) && source.Output is { } output && Place(hop, values.Peek(output)) is { } place)
                {
                    sources.Add(new DataHop(key, "output" + place, hop.Value));
                }
            }

            return sources;
        }

        private VisitState Visit(VisitKey key) => key == failed.Key ? failed : state.Visits[key];

        /// <summary>Where in an output the value stands: under its own name if it does, else anywhere, unless it is one of the values that are everywhere.</summary>
        private static string? Place(DataHop hop, JsonElement output)
        {
            string? anywhere = null;
            var name = hop.Path[(hop.Path.LastIndexOf('.') + 1)..];
            foreach (var (path, value) in Leaves("", output).Take(LeavesMax))
            {
                if (!JsonElement.DeepEquals(value, hop.Value))
                {
                    continue;
                }

                if (path.EndsWith("." + name, StringComparison.Ordinal))
                {
                    return path;
                }

                anywhere ??= path;
            }

            return IsCommon(hop.Value) ? null : anywhere;
        }

        private static IEnumerable<(string Path, JsonElement Value)> Leaves(string path, JsonElement value) => value.ValueKind switch
        {
            JsonValueKind.Object => value.EnumerateObject().SelectMany(member => Leaves($"{path}.{member.Name}", member.Value)),
            JsonValueKind.Array => value.EnumerateArray().SelectMany((item, index) => Leaves($"{path}[{index}]", item)),
            _ => [(path, value)],
        };

        private static bool IsCommon(JsonElement value) => value.ValueKind switch
        {
            JsonValueKind.Number => PayloadReference.BytesOf(value).Length == 1,
            JsonValueKind.String => value.GetString()!.Length <= 2,
            _ => true,
        };
    }
}
