namespace Omium.Kernel.Specs.Checking;

/// <summary>Names and ids: their shape, reserved words, uniqueness.</summary>
internal static class NameChecks
{
    private const string IdRule = "Use a lower-case letter, then letters, digits and _, at most 63 characters.";

    /// <summary>Words that CEL reserves (the specification's langdef, section "Syntax"): an id of this kind could not be selected.</summary>
    private static readonly HashSet<string> ReservedWords = new(StringComparer.Ordinal)
    {
        "true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop",
        "package", "namespace", "return", "var", "void", "while",
    };

    public static void Check(CheckContext context)
    {
        CheckName(context);
        foreach (var id in context.Spec.Agents.Keys)
        {
            CheckId(context, id, CheckContext.AgentPointer(id), "an agent's id");
        }

        foreach (var name in context.Spec.Tools.Keys)
        {
            CheckId(context, name, CheckContext.ToolPointer(name), "a tool's name");
        }

        CheckSteps(context);
        CheckGuardCodes(context);
    }

    /// <summary>True for <c>[a-z][a-z0-9_]{0,62}</c>.</summary>
    public static bool IsId(string text) =>
        text.Length is > 0 and <= SpecLimits.IdLengthMax && char.IsAsciiLetterLower(text[0]) && text.All(character => char.IsAsciiLetterLower(character) || char.IsAsciiDigit(character) || character == '_');

    private static void CheckName(CheckContext context)
    {
        var name = context.Spec.Name;
        var isName = name.Length <= SpecLimits.NameLengthMax && name.All(character => char.IsAsciiLetterLower(character) || char.IsAsciiDigit(character) || character == '-');
        if (!isName)
        {
            context.Findings.Error(
                SpecCodes.InvalidName, "/name", $"\"{Reading.ObjectReader.Shorten(name)}\" is no name of a workflow.", "Use lower-case letters, digits and -, at most 63 characters.");
        }

        if (context.Spec.Version < 0)
        {
            context.Findings.Error(SpecCodes.OutOfBounds, "/version", "A version cannot be negative.", "Leave it out: the server numbers versions on save.");
        }
    }

    private static void CheckSteps(CheckContext context)
    {
        var checkpoints = new HashSet<string>(StringComparer.Ordinal);
        for (var index = 0; index < context.Spec.Steps.Count; index++)
        {
            var (step, pointer) = (context.Spec.Steps[index], CheckContext.StepPointer(index));
            if (step.Id.Length > 0)
            {
                CheckId(context, step.Id, pointer + "/id", "a step's id");
                if (context.StepIndex(step.Id) != index)
                {
                    context.Findings.Error(SpecCodes.DuplicateId, pointer + "/id", $"Another step is called \"{step.Id}\" already.", "Give every step its own id.");
                }
            }

            if (step is { Type: StepType.Worker, Target.Length: > 0 })
            {
                CheckId(context, step.Target, pointer + "/worker", "the name of a queue", mayBeReserved: true);
            }

            CheckCheckpoint(context, step, pointer + "/checkpoint", checkpoints);
        }
    }

    private static void CheckCheckpoint(CheckContext context, StepSpec step, string pointer, HashSet<string> checkpoints)
    {
        if (step.CheckpointName is not { } name)
        {
            return;
        }

        CheckId(context, name, pointer, "a checkpoint's name", mayBeReserved: true);
        var isTaken = !checkpoints.Add(name) || (context.StepIndex(name) is { } other && context.Spec.Steps[other] != step);
        if (isTaken)
        {
            context.Findings.Error(
                SpecCodes.DuplicateId, pointer, $"Another checkpoint is called \"{name}\" already (a step's checkpoint bears its id unless named).", "Give every checkpoint its own name.");
        }
    }

    private static void CheckGuardCodes(CheckContext context)
    {
        foreach (var (guard, pointer) in context.Guards())
        {
            if (!IsId(guard.Code))
            {
                context.Findings.Error(
                    SpecCodes.InvalidGuardCode, pointer + "/code", $"\"{Reading.ObjectReader.Shorten(guard.Code)}\" is no code.", $"{IdRule} A failure class as code gives that class.");
            }
        }
    }

    private static void CheckId(CheckContext context, string id, string pointer, string what, bool mayBeReserved = false)
    {
        if (!IsId(id))
        {
            context.Findings.Error(SpecCodes.InvalidId, pointer, $"\"{Reading.ObjectReader.Shorten(id)}\" cannot be {what}.", IdRule);
        }
        else if (!mayBeReserved && ReservedWords.Contains(id))
        {
            context.Findings.Error(SpecCodes.ReservedWord, pointer, $"\"{id}\" is a reserved word of CEL and cannot be {what}.", $"Choose another, for example \"{id}_step\".");
        }
    }
}
