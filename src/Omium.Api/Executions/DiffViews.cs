using System.Text.Json;
using Omium.Contracts;
using Omium.Contracts.Executions;
using Omium.Kernel.Json;

namespace Omium.Api.Executions;

/// <summary>What differs between two views of one execution, place by place.</summary>
internal static class DiffViews
{
    private static readonly string[] Bookkeeping = ["seq", "updated_at"];

    public static DiffView View(long from, ExecutionView before, long to, ExecutionView after)
    {
        var changes = new List<DiffEntry>();
        Compare("", Tree(before), Tree(after), changes);
        return new DiffView(from, to, changes);
    }

    /// <summary>The view with its steps by name and visit, so that a step scheduled in between does not shift the others.</summary>
    private static JsonElement Tree(ExecutionView view)
    {
        var whole = JsonSerializer.SerializeToElement(view, ContractJson.Default.ExecutionView);
        var members = whole.EnumerateObject()
            .Where(member => !Bookkeeping.Contains(member.Name))
            .Select(member => (member.Name, member.Name == "steps" ? ByName(member.Value) : member.Value));
        return JsonMake.Object([.. members]);
    }

    private static JsonElement ByName(JsonElement steps) =>
        JsonMake.Object([.. steps.EnumerateArray().Select(step => ($"{step.GetProperty("step").GetString()}/{step.GetProperty("visit").GetRawText()}", step))]);

    private static void Compare(string pointer, JsonElement before, JsonElement after, List<DiffEntry> changes)
    {
        if (before.ValueKind == JsonValueKind.Object && after.ValueKind == JsonValueKind.Object)
        {
            // By name once: looking each member up in the text would cost the square of their number.
            var others = after.EnumerateObject().ToDictionary(member => member.Name, member => member.Value, StringComparer.Ordinal);
            var names = new HashSet<string>(StringComparer.Ordinal);
            foreach (var member in before.EnumerateObject())
            {
                names.Add(member.Name);
                var inner = JsonPointer.Append(pointer, member.Name);
                if (others.TryGetValue(member.Name, out var other))
                {
                    Compare(inner, member.Value, other, changes);
                }
                else
                {
                    changes.Add(new DiffEntry(inner, "removed", member.Value, null));
                }
            }

            foreach (var member in after.EnumerateObject().Where(member => !names.Contains(member.Name)))
            {
                changes.Add(new DiffEntry(JsonPointer.Append(pointer, member.Name), "added", null, member.Value));
            }
        }
        else if (!JsonElement.DeepEquals(before, after))
        {
            changes.Add(new DiffEntry(pointer, "changed", before, after));
        }
    }
}
