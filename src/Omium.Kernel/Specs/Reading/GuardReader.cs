using System.Text.Json;
using Omium.Kernel.Expressions;
using Omium.Kernel.Json;

namespace Omium.Kernel.Specs.Reading;

/// <summary>Reads lists of guards: each is a <c>check</c> or one of the short forms, whose meaning as an expression is written out here.</summary>
internal static class GuardReader
{
    private static readonly GuardSpec Unreadable = new("", FailureClasses.GuardFailed, null);

    /// <summary>Guards under <paramref name="name"/>. An unreadable one keeps its place with an empty check.</summary>
    public static IReadOnlyList<GuardSpec> ReadAll(ObjectReader owner, string name, GuardPlace place = GuardPlace.Check)
    {
        var guards = new List<GuardSpec>();
        foreach (var (item, pointer) in owner.Items(name))
        {
            guards.Add(ObjectReader.Open(item, pointer, "a guard", owner.Findings) is { } reader ? Read(reader, place) : Unreadable);
        }

        return guards;
    }

    private static GuardSpec Read(ObjectReader reader, GuardPlace place)
    {
        var (code, message) = (reader.Text("code"), reader.Text("message"));
        var written = place == GuardPlace.Check ? [] : GuardForms.Written.Where(reader.Has).ToList();
        var tools = place == GuardPlace.Call ? reader.Texts("tools") : [];
        GuardSpec guard;
        if (written.Count == 0)
        {
            guard = new GuardSpec(reader.RequiredText("check"), code ?? FailureClasses.GuardFailed, message);
        }
        else
        {
            guard = OfForm(reader, written[0], place, code, message);
            foreach (var second in written.Skip(1).Concat(reader.Has("check") ? ["check"] : []))
            {
                reader.Findings.Error(SpecCodes.PropertyNotApplicable, reader.At(second), $"A guard says one thing: \"{written[0]}\" or \"{second}\".", "Write two guards.");
                _ = reader.Any(second);
            }
        }

        reader.Close();
        return GuardForms.ForTools(guard, tools);
    }

    private static GuardSpec OfForm(ObjectReader reader, string form, GuardPlace place, string? code, string? message)
    {
        switch (form)
        {
            case GuardForms.Uses:
                var values = Expressions(reader, form);
                var within = reader.Text("in") ?? (place == GuardPlace.Call ? "call.arguments" : "output");
                return values.Count == 0 || !Compiles(reader, "in", within) ? Empty(form) : GuardForms.OfUses(values, within, code, message);
            case GuardForms.Grounded:
                return ReadGrounded(reader, place, code, message);
            case GuardForms.Called:
                var tools = reader.Texts(form);
                return Require(reader, form, tools.Count, "a tool") ? GuardForms.OfCalled(tools, code, message) : Empty(form);
            default:
                var question = reader.RequiredText(form);
                var needed = reader.Has("when_missing") ? Expressions(reader, "when_missing") : [];
                reader.RequireMember("when_missing");
                return question.Length == 0 || needed.Count == 0 || !Compiles(reader, form, question) ? Empty(form) : GuardForms.OfAsks(question, needed, code, message);
        }
    }

    /// <summary><c>grounded: [values]</c> or <c>grounded: {values, from, allow}</c>.</summary>
    private static GuardSpec ReadGrounded(ObjectReader reader, GuardPlace place, string? code, string? message)
    {
        var standard = place == GuardPlace.Call ? "call.arguments" : "output";
        IReadOnlyList<string> values, sources = GuardForms.Given;
        var allowed = new List<string>();
        if (reader.Any(GuardForms.Grounded) is { ValueKind: JsonValueKind.Object })
        {
            var inner = reader.Object(GuardForms.Grounded, "\"grounded\"")!;
            values = inner.Has("values") ? Expressions(inner, "values") : [standard];
            sources = inner.Has("from") ? Expressions(inner, "from") : GuardForms.Given;
            foreach (var (item, pointer) in inner.Items("allow"))
            {
                if (item.ValueKind is JsonValueKind.Number or JsonValueKind.String)
                {
                    allowed.Add(GuardForms.Literal(item.ValueKind == JsonValueKind.String ? item.GetString()! : item.GetRawText()));
                }
                else
                {
                    ObjectReader.ReportType(item, pointer, "an item of \"allow\" must be a number or a text", inner.Findings);
                }
            }

            inner.Close();
        }
        else
        {
            values = Expressions(reader, GuardForms.Grounded);
        }

        return values.Count == 0 || sources.Count == 0 ? Empty(GuardForms.Grounded) : GuardForms.OfGrounded(values, sources, allowed, code, message);
    }

    /// <summary>A list of at least one expression; each is compiled here, where its pointer is known. Empty when one is faulty.</summary>
    private static IReadOnlyList<string> Expressions(ObjectReader reader, string name)
    {
        var expressions = reader.Texts(name);
        var compile = expressions.Select((text, index) => Compiles(reader, JsonPointer.Append(reader.At(name), index), text, isPointer: true)).ToList();
        return Require(reader, name, expressions.Count, "an expression") && compile.TrueForAll(good => good) ? expressions : [];
    }

    private static bool Compiles(ObjectReader reader, string place, string text, bool isPointer = false)
    {
        if (text.Length > 0 && CelExpression.TryCompile(text, out var error) is null)
        {
            reader.Findings.Error(
                SpecCodes.ExpressionSyntax, isPointer ? place : reader.At(place), $"This is no expression: {error!.Message} (character {error.Offset + 1}).", "Write a path or another expression of CEL, for example output.apr.");
            return false;
        }

        return text.Length > 0;
    }

    private static bool Require(ObjectReader reader, string name, int count, string what)
    {
        if (count == 0 && reader.Any(name) is { ValueKind: JsonValueKind.Array })
        {
            reader.Findings.Error(SpecCodes.OutOfBounds, reader.At(name), $"\"{name}\" is empty.", $"Name at least {what}, or leave the guard out.");
        }

        return count > 0;
    }

    /// <summary>A form that could not be read: its place is kept, its check is empty.</summary>
    private static GuardSpec Empty(string form) => Unreadable with { Form = form };
}

/// <summary>Where a guard stands: it decides which forms there are.</summary>
internal enum GuardPlace
{
    /// <summary>Before a step, or on the arguments of a tool: <c>check</c> only.</summary>
    Check,

    /// <summary>After a step: every form.</summary>
    Answer,

    /// <summary>On a call that an agent asks for: every form, and <c>tools</c>.</summary>
    Call,
}
