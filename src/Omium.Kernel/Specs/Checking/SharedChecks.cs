using System.Text;
using Omium.Kernel.Expressions;
using Omium.Kernel.Json;
using Omium.Kernel.Resources;

namespace Omium.Kernel.Specs.Checking;

/// <summary>Names of scopes and shared values are names, whatever their templates will give; and they stand at steps that can use them.</summary>
internal static class SharedChecks
{
    /// <summary>Stands for what a template will give: a name that fits everywhere.</summary>
    private const char Placeholder = 'x';

    public static void Check(CheckContext context)
    {
        foreach (var (step, _, pointer) in context.Steps())
        {
            if (step.Shared is not { } shared)
            {
                continue;
            }

            foreach (var (count, list) in new[] { (shared.Locks.Count, "/locks"), (shared.Reads.Count, "/reads"), (shared.Writes.Count, "/writes") })
            {
                BoundsChecks.RequireNumber(context.Findings, count, pointer + list, 0, SpecLimits.SharedNamesMax);
            }

            foreach (var name in shared.Locks)
            {
                CheckName(context, name, ScopeName.Normalize, SpecCodes.InvalidScope, "scope", "Write at least two segments, such as customer/${{ input.customer_id }}.");
            }

            foreach (var name in shared.Reads.Select(read => read.Key).Concat(shared.Writes.Select(write => write.Key)))
            {
                CheckName(context, name, StateKey.Normalize, SpecCodes.InvalidStateKey, "key of a value", "Write a scope, '#' and a name: customer/${{ input.customer_id }}#name.");
            }

            if (step.Type == StepType.HumanApproval && shared.Locks.Count > 0)
            {
                context.Findings.Warning(
                    SpecCodes.SharedMisplaced, pointer + "/locks", "A person may take days, and the locks of an approval keep everybody waiting until then (or until their lease is over).",
                    "Lock at the step that acts on the approval, and read what was approved again there.");
            }
        }
    }

    public static void CheckExpressions(ExpressionReader reader, StepSpec step, int index, string pointer)
    {
        if (step.Shared is not { } shared)
        {
            return;
        }

        foreach (var name in shared.Locks.Concat(shared.Reads.Select(read => read.Key)))
        {
            reader.Template(JsonMake.Text(name.Text), name.Pointer, ExpressionScope.NameOfShared(index));
        }

        foreach (var write in shared.Writes)
        {
            reader.Template(JsonMake.Text(write.Key.Text), write.Key.Pointer, ExpressionScope.Write(index).With(shared));
            var valuePointer = write.Key.Pointer.EndsWith("/key", StringComparison.Ordinal) ? write.Key.Pointer[..^"/key".Length] + "/value" : write.Key.Pointer;
            reader.Value(write.Value, valuePointer, ExpressionScope.Write(index).With(shared));
        }
    }

    private delegate string? NameReader(string text, out string problem);

    private static void CheckName(CheckContext context, SharedName name, NameReader normalize, string code, string what, string mend)
    {
        if (Template.TryCompile(JsonMake.Text(name.Text), out _) is not { } template)
        {
            return; // Reported as a template.
        }

        var sample = Sample(template, name.Text);
        if (sample is not null && normalize(sample, out var problem) is null)
        {
            context.Findings.Error(code, name.Pointer, $"This is no {what}: {problem}.", mend);
        }
    }

    /// <summary>The text with a placeholder for each template; null when it is nothing but one template, which may give any name.</summary>
    private static string? Sample(Template template, string text)
    {
        if (template.IsConstant)
        {
            return text;
        }

        var sample = new StringBuilder();
        var at = 0;
        while (text.IndexOf("${{", at, StringComparison.Ordinal) is var open && open >= 0)
        {
            sample.Append(text, at, open - at).Append(Placeholder);
            var close = text.IndexOf("}}", open, StringComparison.Ordinal);
            at = close < 0 ? text.Length : close + 2;
        }

        sample.Append(text, at, text.Length - at);
        return sample.Length == 1 && sample[0] == Placeholder ? null : sample.ToString();
    }
}
