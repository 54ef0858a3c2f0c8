using System.Text.Json;
using Omium.Kernel.Expressions;
using Omium.Kernel.Json;

namespace Omium.Kernel.Specs.Suggestions;

/// <summary>Where one agent hands on to another over a written edge: what the receiver reads must be in what the sender hands on.</summary>
internal static class HandoffSuggestions
{
    public static void AddTo(SuggestionDraft draft)
    {
        foreach (var edge in draft.Spec.Edges.Where(edge => edge.VisitsMax is null && edge.Pointer.StartsWith("/edges/", StringComparison.Ordinal)))
        {
            if (draft.Step(edge.From) is { } sender && draft.Step(edge.To) is { } receiver && StepSuggestions.HandsOn(sender, receiver)
                && draft.At(edge.Pointer + "/handoff") is null && Needed(sender, receiver) is { Count: > 0 } needed)
            {
                var handoff = JsonMake.Object(("schema", JsonMake.Object(("type", JsonMake.Text("object")), ("required", JsonMake.Texts(needed)))));
                draft.Add(new SpecSuggestion(
                    $"handoff.{edge.From}.{edge.To}", SuggestionKinds.Handoff, edge.Pointer, $"{edge.From} hands on what {edge.To} reads",
                    $"\"{edge.To}\" builds on {string.Join(", ", needed)} of \"{edge.From}\", another agent. Whatever of it is missing fails the sender before its commit, as information_withholding, and the receiver does not start without it.",
                    [new JsonPatchOperation("test", edge.Pointer + "/from", JsonMake.Text(edge.From)), new JsonPatchOperation("add", edge.Pointer + "/handoff", handoff)]));
            }
        }
    }

    /// <summary>Members of the sender's output that the receiver's input reads; where it reads the whole, those that the sender's schema requires.</summary>
    private static List<string> Needed(StepSpec sender, StepSpec receiver)
    {
        if (receiver.Input is { } input)
        {
            var paths = Template.TryCompile(input, out _)?.Expressions.SelectMany(part => part.Expression.Paths) ?? [];
            var read = paths.Where(path => path.Root == "steps" && path.Segments.Count > 2 && path.Segments[0] == sender.Id && path.Segments[1] == "output");
            return [.. read.Select(path => path.Segments[2]).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        }

        return sender.OutputSchema is { ValueKind: JsonValueKind.Object } schema && schema.TryGetProperty("required", out var required) && required.ValueKind == JsonValueKind.Array
            ? [.. required.EnumerateArray().Where(name => name.ValueKind == JsonValueKind.String).Select(name => name.GetString()!)]
            : [];
    }
}
