using System.Text.Json;
using Omium.Kernel.Expressions;
using Omium.Kernel.Json;

namespace Omium.Kernel.Specs.Checking;

/// <summary>Every expression and template compiles, starts with names known at its place, and reads only what has run before.</summary>
internal static class ExpressionChecks
{
    private const string TemplateOpening = "${{";

    public static void Check(CheckContext context)
    {
        var reader = new ExpressionReader(context.Findings, context);
        foreach (var (step, index, pointer) in context.Steps())
        {
            CheckStep(reader, step, index, pointer);
        }

        foreach (var edge in context.Spec.Edges)
        {
            reader.Condition(edge.When, edge.Pointer + "/when", ExpressionScope.EdgeCondition(context.StepIndex(edge.From)));
            CheckHandoff(reader, edge.Handoff, ExpressionScope.Handoff(context.StepIndex(edge.From)));
        }

        foreach (var (name, tool) in context.Spec.Tools)
        {
            CheckTool(reader, tool, CheckContext.ToolPointer(name));
        }

        foreach (var (id, agent) in context.Spec.Agents)
        {
            CheckAgent(context, agent, CheckContext.AgentPointer(id));
        }
    }

    private static void CheckStep(ExpressionReader reader, StepSpec step, int index, string pointer)
    {
        ExpressionScope OfAttempt(ExpressionScope scope) => step.ForEach is null ? scope : scope.EachItem();

        if (step.Input is { } input)
        {
            reader.Template(input, pointer + "/input", OfAttempt(ExpressionScope.StepInput(index).With(step.Shared)));
        }

        CheckGuards(reader, step.Pre, pointer + "/guards/pre", OfAttempt(ExpressionScope.Precondition(index).With(step.Shared)));
        CheckGuards(reader, step.Post, pointer + "/guards/post", OfAttempt(ExpressionScope.Postcondition(index).With(step.Shared)));
        CheckGuards(reader, step.Calls, pointer + "/guards/calls", OfAttempt(ExpressionScope.AgentCall(index).With(step.Shared)));
        CheckEffect(reader, step.Effect, pointer, OfAttempt(ExpressionScope.StepEffect(index, step.Tool)));
        if (step.ForEach is { } each)
        {
            reader.List(each.Items, pointer + "/for_each/items", ExpressionScope.ItemList(index).With(step.Shared));
            CheckGuards(reader, each.Pre, pointer + "/for_each/guards/pre", ExpressionScope.Precondition(index).With(step.Shared));
            CheckGuards(reader, each.Post, pointer + "/for_each/guards/post", ExpressionScope.Postcondition(index).With(step.Shared));
        }
        SharedChecks.CheckExpressions(reader, step, index, pointer);
    }

    private static void CheckHandoff(ExpressionReader reader, HandoffSpec? handoff, ExpressionScope scope)
    {
        foreach (var (constraint, pointer) in SpecWalk.Numbered(handoff?.Constraints ?? [], handoff?.Pointer + "/constraints"))
        {
            reader.Condition(constraint, pointer, scope);
        }

        foreach (var claim in handoff?.Claims ?? [])
        {
            var pointer = JsonPointer.Append(handoff!.Pointer + "/claims", claim.Name);
            reader.Value(claim.Said, pointer + "/said", scope);
            reader.Value(claim.Seen, pointer + "/seen", scope);
            if (claim.Arguments is { } arguments)
            {
                reader.Template(arguments, pointer + "/seen/arguments", scope);
            }

            reader.Value(claim.Value, pointer + "/seen/value", ExpressionScope.Measurement);
        }
    }

    private static void CheckTool(ExpressionReader reader, ToolSpec tool, string pointer)
    {
        CheckGuards(reader, tool.Guards, pointer + "/guards", ExpressionScope.ToolArguments(tool.Name));
        CheckEffect(reader, tool.Effect, pointer, ExpressionScope.ToolArguments(tool.Name));
        if (tool.Url is { } url)
        {
            reader.Template(JsonMake.Text(url), pointer + (tool.Type == ToolType.Mcp ? "/server" : "/url"), ExpressionScope.ToolRequest(tool.Name));
        }

        foreach (var (name, value) in tool.Headers)
        {
            reader.Template(JsonMake.Text(value), JsonPointer.Append(pointer + "/headers", name), ExpressionScope.ToolRequest(tool.Name));
        }

        if (tool.Body is { } body)
        {
            reader.Template(body, pointer + "/body", ExpressionScope.ToolRequest(tool.Name));
        }
    }

    private static void CheckGuards(ExpressionReader reader, IReadOnlyList<GuardSpec> guards, string pointer, ExpressionScope scope)
    {
        foreach (var (guard, guardPointer) in SpecWalk.Numbered(guards, pointer))
        {
            // What a plan means stands behind the guards that are written: its pointer is the plan's.
            var at = guard.Form == GuardForms.Plan ? pointer[..pointer.IndexOf("/guards/", StringComparison.Ordinal)] + "/plan" : $"{guardPointer}/{guard.Form ?? "check"}";
            reader.Condition(guard.Check, at, scope);
        }
    }

    private static void CheckEffect(ExpressionReader reader, EffectSpec? effect, string pointer, ExpressionScope scope)
    {
        reader.Value(effect?.Key, pointer + "/effect/key", scope);
        reader.Amount(effect?.Amount, pointer + "/effect/amount", scope);
    }

    private static void CheckAgent(CheckContext context, AgentSpec agent, string pointer)
    {
        (string? Text, string Pointer)[] texts = [(agent.Role, pointer + "/role"), (agent.Goal, pointer + "/goal"), (agent.Prompt, pointer + "/prompt")];
        foreach (var (text, textPointer) in texts.Concat(SpecWalk.Numbered<string?>(agent.Constraints, pointer + "/constraints")))
        {
            if (text is not null && text.Contains(TemplateOpening, StringComparison.Ordinal))
            {
                context.Findings.Error(
                    SpecCodes.TemplateSyntax, textPointer, "What an agent is told holds no templates.", "Give the data to the agent through the \"input\" of its step.");
            }
        }
    }
}
