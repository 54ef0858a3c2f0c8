using System.Globalization;
using Omium.Contracts.Executions;
using Omium.Kernel.Executions;

namespace Omium.Api.Executions;

/// <summary>Counts what became of the items of for_each steps, event by event.</summary>
internal sealed class ItemTally
{
    private readonly Dictionary<string, (int Count, HashSet<string> Succeeded, HashSet<string> Failed, HashSet<string> Skipped)> _steps = new(StringComparer.Ordinal);

    public void Count(ExecutionEvent happened)
    {
        switch (happened)
        {
            case ItemsExpanded e:
                _steps[e.Step] = (e.Count, [], [], []);
                break;
            case StepScheduled e:
                Move(e.Step, _ => null);
                break;
            case StepCommitted e:
                Move(e.Step, step => step.Succeeded);
                break;
            case StepFailed { Final: true } e:
                Move(e.Step, step => step.Failed);
                break;
            case StepGivenUp e:
                Move(e.Step, step => step.Failed);
                break;
            case StepSkipped e:
                Move(e.Step, step => step.Skipped);
                break;
        }
    }

    /// <summary>"48 of 50 items succeeded, 2 failed"; null for a step without items.</summary>
    public string? Of(string step)
    {
        if (!_steps.TryGetValue(step, out var items))
        {
            return null;
        }

        var failed = items.Failed.Count > 0 ? string.Create(CultureInfo.InvariantCulture, $", {items.Failed.Count} failed") : "";
        var skipped = items.Skipped.Count > 0 ? string.Create(CultureInfo.InvariantCulture, $", {items.Skipped.Count} skipped") : "";
        return string.Create(CultureInfo.InvariantCulture, $"{items.Succeeded.Count} of {items.Count} items succeeded{failed}{skipped}");
    }

    private void Move(string item, Func<(int Count, HashSet<string> Succeeded, HashSet<string> Failed, HashSet<string> Skipped), HashSet<string>?> to)
    {
        if (ItemName.Is(item) && _steps.TryGetValue(ItemName.StepOf(item), out var step))
        {
            step.Succeeded.Remove(item);
            step.Failed.Remove(item);
            step.Skipped.Remove(item);
            to(step)?.Add(item);
        }
    }
}

/// <summary>
/// Keeps a timeline readable when a step has thousands of items: of their lines, only those that tell of trouble, and of each step only the first
/// ones. What is left out stands in the list of the items, and in the timeline of <c>?items=all</c>.
/// </summary>
internal sealed class TimelineItems(bool all)
{
    private const int LinesMax = 20;
    private readonly Dictionary<string, int> _shown = new(StringComparer.Ordinal);

    public IEnumerable<TimelineEntry> Of(IEnumerable<TimelineEntry> lines) => all ? lines : lines.Select(Shown).OfType<TimelineEntry>();

    private TimelineEntry? Shown(TimelineEntry line)
    {
        if (line.Item is null)
        {
            return line;
        }

        if (line.Severity is not ("warning" or "error"))
        {
            return null;
        }

        var count = _shown[line.Step!] = _shown.GetValueOrDefault(line.Step!) + 1;
        return count switch
        {
            <= LinesMax => line,
            LinesMax + 1 => line with { Severity = "info", Title = $"{line.Step}: further lines about its items are left out", Detail = "list its items, or ask for the timeline with items=all", Item = null },
            _ => null,
        };
    }
}
