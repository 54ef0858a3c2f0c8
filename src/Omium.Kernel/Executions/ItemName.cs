using System.Globalization;

namespace Omium.Kernel.Executions;

/// <summary>
/// How the visits of a <c>for_each</c> step's items are named: <c>send-3</c> is item 3 (from 0) of step <c>send</c>. A hyphen cannot stand in
/// the id of a step of a workflow, so that no step is ever taken for an item.
/// </summary>
public static class ItemName
{
    private const char Mark = '-';

    /// <summary>The name of one item.</summary>
    public static string Of(string step, int index) => string.Create(CultureInfo.InvariantCulture, $"{step}{Mark}{index}");

    /// <summary>True when a visit's step is an item.</summary>
    public static bool Is(string name) => name.Contains(Mark, StringComparison.Ordinal) && !Specs.TracedNames.Is(name);

    /// <summary>The step and the item's index; false for what is no item.</summary>
    public static bool TryRead(string name, out string step, out int index)
    {
        var at = name.LastIndexOf(Mark);
        (step, index) = (name, -1);
        if (at <= 0 || Specs.TracedNames.Is(name) || !int.TryParse(name.AsSpan(at + 1), NumberStyles.None, CultureInfo.InvariantCulture, out index))
        {
            return false;
        }

        step = name[..at];
        return true;
    }

    /// <summary>The step of a visit: itself, or the one whose item it is.</summary>
    public static string StepOf(string name) => TryRead(name, out var step, out _) ? step : name;
}
