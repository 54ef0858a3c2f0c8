using System.Globalization;

namespace Omium.Kernel.Specs.Checking;

/// <summary>Lists the parts of a spec with their pointers.</summary>
internal static class SpecWalk
{
    public static IEnumerable<(StepSpec Step, int Index, string Pointer)> Steps(this CheckContext context) =>
        context.Spec.Steps.Select((step, index) => (step, index, CheckContext.StepPointer(index)));

    /// <summary>Every guard of steps and tools.</summary>
    public static IEnumerable<(GuardSpec Guard, string Pointer)> Guards(this CheckContext context)
    {
        var ofSteps = context.Steps().SelectMany(step => Numbered(step.Step.Pre, step.Pointer + "/guards/pre").Concat(Numbered(step.Step.Post, step.Pointer + "/guards/post"))
            .Concat(Numbered(step.Step.Calls, step.Pointer + "/guards/calls"))
            .Concat(Numbered(step.Step.ForEach?.Pre ?? [], step.Pointer + "/for_each/guards/pre")).Concat(Numbered(step.Step.ForEach?.Post ?? [], step.Pointer + "/for_each/guards/post")));
        var ofTools = context.Spec.Tools.SelectMany(tool => Numbered(tool.Value.Guards, CheckContext.ToolPointer(tool.Key) + "/guards"));
        return ofSteps.Concat(ofTools);
    }

    /// <summary>Every effect that is written: of tools, and of steps that override theirs.</summary>
    public static IEnumerable<(EffectSpec Effect, string Pointer)> Effects(this CheckContext context)
    {
        var ofTools = context.Spec.Tools.Where(tool => tool.Value.Effect.Kind != EffectKind.None).Select(tool => (tool.Value.Effect, CheckContext.ToolPointer(tool.Key) + "/effect"));
        var ofSteps = context.Steps().Where(step => step.Step.Effect is not null).Select(step => (step.Step.Effect!, step.Pointer + "/effect"));
        return ofTools.Concat(ofSteps);
    }

    /// <summary>Items with the pointers of their places.</summary>
    public static IEnumerable<(T Item, string Pointer)> Numbered<T>(IEnumerable<T> items, string pointer) =>
        items.Select((item, index) => (item, string.Create(CultureInfo.InvariantCulture, $"{pointer}/{index}")));
}
