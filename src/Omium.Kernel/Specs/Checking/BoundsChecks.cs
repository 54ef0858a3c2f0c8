using Omium.Kernel.Specs.Reading;

namespace Omium.Kernel.Specs.Checking;

/// <summary>Sizes, counts, times.</summary>
internal static class BoundsChecks
{
    /// <summary>False when the spec is too large to be checked further.</summary>
    public static bool CheckSizes(WorkflowSpec spec, FindingList findings)
    {
        (string Pointer, string What, int Count, int Most)[] sizes =
        [
            ("/steps", "steps", spec.Steps.Count, SpecLimits.StepsMax),
            ("/edges", "edges", spec.Edges.Count, SpecLimits.EdgesMax),
            ("/agents", "agents", spec.Agents.Count, SpecLimits.AgentsMax),
            ("/tools", "tools", spec.Tools.Count, SpecLimits.ToolsMax),
        ];
        var tooLarge = sizes.Where(size => size.Count > size.Most).ToList();
        foreach (var (pointer, what, count, most) in tooLarge)
        {
            findings.Error(SpecCodes.TooLarge, pointer, $"The workflow has {count} {what}; at most {most} are allowed.", "Split it into several workflows.");
        }

        return tooLarge.Count == 0;
    }

    public static void Check(CheckContext context)
    {
        var bounds = context.Spec.Bounds;
        RequireNumber(context.Findings, bounds.VisitsMax, "/bounds/max_visits", 1, SpecLimits.BoundVisitsMax);
        RequireNumber(context.Findings, bounds.SameCallsMax, "/bounds/max_same_calls", 1, SpecLimits.BoundRepetitionsMax);
        RequireNumber(context.Findings, bounds.SameEffectsMax, "/bounds/max_same_effects", 1, SpecLimits.BoundRepetitionsMax);
        RequireNumber(context.Findings, bounds.SameVisitsMax, "/bounds/max_same_visits", 1, SpecLimits.BoundRepetitionsMax);
        foreach (var (id, agent) in context.Spec.Agents)
        {
            CheckAgent(context.Findings, agent, CheckContext.AgentPointer(id));
        }

        foreach (var (name, tool) in context.Spec.Tools)
        {
            RequireTime(context.Findings, tool.Timeout, CheckContext.ToolPointer(name) + "/timeout", SpecLimits.TimeoutMin, SpecLimits.TimeoutMax);
        }

        foreach (var (effect, pointer) in context.Effects())
        {
            RequireTime(context.Findings, effect.KeyTtl, pointer + "/key_ttl", SpecLimits.TimeoutMin, SpecLimits.KeyTtlMax);
            RequireTime(context.Findings, effect.VerifyAfter, pointer + "/verify_after", TimeSpan.Zero, SpecLimits.TimeoutMax);
        }

        foreach (var (step, _, pointer) in context.Steps())
        {
            CheckStep(context.Findings, step, pointer);
        }

        foreach (var edge in context.Spec.Edges)
        {
            RequireNumber(context.Findings, edge.VisitsMax, edge.Pointer + "/max_visits", 1, SpecLimits.VisitsMax);
        }
    }

    public static void RequireNumber(FindingList findings, double? value, string pointer, double least, double most)
    {
        if (value is { } number && !(number >= least && number <= most))
        {
            findings.Error(SpecCodes.OutOfBounds, pointer, $"{Text(number)} is out of bounds.", $"Write a number from {Text(least)} to {Text(most)}.");
        }
    }

    public static void CheckBackoff(FindingList findings, Backoff backoff, string initialPointer, string maxPointer)
    {
        RequireTime(findings, backoff.Initial, initialPointer, SpecLimits.TimeoutMin, SpecLimits.TimeoutMax);
        if (maxPointer != initialPointer || backoff.Max != backoff.Initial)
        {
            RequireTime(findings, backoff.Max, maxPointer, SpecLimits.TimeoutMin, SpecLimits.TimeoutMax);
        }

        if (backoff.Initial > backoff.Max)
        {
            findings.Error(SpecCodes.OutOfBounds, maxPointer, "The longest wait is shorter than the first one.", "Make it at least as long as the first wait.");
        }
    }

    private static void CheckAgent(FindingList findings, AgentSpec agent, string pointer)
    {
        RequireNumber(findings, agent.Temperature, pointer + "/temperature", 0, SpecLimits.TemperatureMax);
        RequireNumber(findings, agent.TurnsMax, pointer + "/max_turns", 1, SpecLimits.TurnsMax);
        RequireNumber(findings, agent.AnswerTokensMax, pointer + "/max_tokens", 1, SpecLimits.AnswerTokensMax);
        if (string.IsNullOrWhiteSpace(agent.Prompt))
        {
            findings.Warning(SpecCodes.EmptyPrompt, pointer, $"Agent \"{agent.Id}\" has no prompt.", "Say in \"prompt\" what it has to do and what its answer must hold.");
        }
    }

    private static void CheckStep(FindingList findings, StepSpec step, string pointer)
    {
        if (step.Timeout is { } timeout)
        {
            var most = step.Type == StepType.HumanApproval ? SpecLimits.ApprovalTimeoutMax : SpecLimits.TimeoutMax;
            RequireTime(findings, timeout, pointer + "/timeout", SpecLimits.TimeoutMin, most);
        }

        if (step.ForEach is { } each)
        {
            RequireNumber(findings, each.ParallelMax, pointer + "/for_each/max_parallel", 1, SpecLimits.ItemsParallelMax);
            RequireNumber(findings, each.FailedRatioMax, pointer + "/for_each/max_failed_ratio", 0, 1);
        }

        if (step.Retry is { } retry)
        {
            RequireNumber(findings, retry.AttemptsMax, pointer + "/retry/max_attempts", 1, SpecLimits.AttemptsMax);
            CheckBackoff(findings, retry.Backoff, pointer + "/retry/initial", pointer + "/retry/max");
        }
    }

    private static void RequireTime(FindingList findings, TimeSpan value, string pointer, TimeSpan least, TimeSpan most)
    {
        if (value < least || value > most)
        {
            findings.Error(SpecCodes.OutOfBounds, pointer, $"{Text(value)} is out of bounds.", $"Write a time from {Text(least)} to {Text(most)}.");
        }
    }

    private static string Text(double value) => value.ToString("R", System.Globalization.CultureInfo.InvariantCulture);

    private static string Text(TimeSpan value)
    {
        var (amount, unit) = value switch
        {
            { TotalDays: >= 2 } => (value.TotalDays, "d"),
            { TotalHours: >= 1 } => (value.TotalHours, "h"),
            { TotalSeconds: >= 1 } => (value.TotalSeconds, "s"),
            _ => (value.TotalMilliseconds, "ms"),
        };
        return Text(amount) + unit;
    }
}
