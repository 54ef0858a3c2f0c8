using System.Text.Json;
using Omium.Kernel.Expressions;
using Omium.Kernel.Json;
using Omium.Kernel.Specs.Reading;

namespace Omium.Kernel.Specs.Checking;

/// <summary>Compiles one expression or template after the other and checks what it reads.</summary>
/// <param name="findings">Where findings go.</param>
/// <param name="context">The workflow; null for a policy that stands alone.</param>
internal sealed class ExpressionReader(FindingList findings, CheckContext? context)
{
    /// <summary>Names of types, which an expression may use like values: <c>type(x) == int</c> (CEL langdef, "Types as values").</summary>
    private static readonly HashSet<string> TypeNames = new(StringComparer.Ordinal)
    {
        "bool", "int", "uint", "double", "string", "bytes", "list", "map", "null_type", "type", "google",
    };

    /// <summary>An expression that must give true or false.</summary>
    public void Condition(string? text, string pointer, ExpressionScope scope)
    {
        if (Value(text, pointer, scope) is { } type && type.Kind is not (CelKind.Bool or CelKind.Dyn))
        {
            findings.Error(
                SpecCodes.ExpressionType, pointer, $"A condition must give true or false; this gives {type}.", "Compare it with something, for example output.count > 0.");
        }
    }

    /// <summary>An expression that must give a list.</summary>
    public void List(string? text, string pointer, ExpressionScope scope)
    {
        if (Value(text, pointer, scope) is { } type && type.Kind is not (CelKind.List or CelKind.Dyn))
        {
            findings.Error(SpecCodes.ExpressionType, pointer, $"Items must be a list; this gives {type}.", "Name a list, for example input.customers or steps.find.output.rows.");
        }
    }

    /// <summary>An expression that must give a number.</summary>
    public void Amount(string? text, string pointer, ExpressionScope scope)
    {
        if (Value(text, pointer, scope) is { } type && type.Kind is not (CelKind.Int or CelKind.Uint or CelKind.Double or CelKind.Dyn))
        {
            findings.Error(SpecCodes.ExpressionType, pointer, $"An amount must be a number of USD; this gives {type}.", "Name a number of the arguments, for example input.amount.");
        }
    }

    /// <summary>An expression that may give anything; its type, or null when it is absent or faulty.</summary>
    public CelType? Value(string? text, string pointer, ExpressionScope scope)
    {
        if (string.IsNullOrEmpty(text))
        {
            return null;
        }

        if (CelExpression.TryCompile(text, out var error) is { } expression)
        {
            return CheckExpression(expression, pointer, scope);
        }

        var isTemplate = text.Contains("${{", StringComparison.Ordinal);
        findings.Error(
            SpecCodes.ExpressionSyntax,
            pointer,
            $"This is no expression: {error!.Message} (character {error.Offset + 1}).",
            isTemplate ? "Write the expression alone, without ${{ }}: this place holds nothing else." : "Write an expression of CEL, for example output.apr >= 2.5 && output.apr <= 8.5.");
        return null;
    }

    /// <summary>A template. Each text in it is judged on its own, so that one mistake does not hide the next.</summary>
    public void Template(JsonElement value, string pointer, ExpressionScope scope)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var member in value.EnumerateObject())
                {
                    Template(member.Value, JsonPointer.Append(pointer, member.Name), scope);
                }

                break;
            case JsonValueKind.Array:
                foreach (var (item, itemPointer) in SpecWalk.Numbered(value.EnumerateArray(), pointer))
                {
                    Template(item, itemPointer, scope);
                }

                break;
            case JsonValueKind.String:
                TemplateText(value, pointer, scope);
                break;
            default:
                break;
        }
    }

    private void TemplateText(JsonElement text, string pointer, ExpressionScope scope)
    {
        var template = Expressions.Template.TryCompile(text, out var errors);
        foreach (var (_, error) in errors)
        {
            findings.Error(
                SpecCodes.TemplateSyntax,
                pointer,
                $"A template here cannot be read: {error.Message} (character {error.Offset + 1}).",
                "Write ${{ expression }}; for the characters themselves write $${{.");
        }

        foreach (var (_, expression) in template?.Expressions ?? [])
        {
            CheckExpression(expression, pointer, scope);
        }
    }

    /// <summary>Its type; null when something is wrong with it.</summary>
    private CelType? CheckExpression(CelExpression expression, string pointer, ExpressionScope scope)
    {
        CheckPaths(expression, pointer, scope);
        var errors = CelTypeChecker.Check(expression, root => context?.Types.Of(root, scope) ?? CelType.Dyn, out var type);
        foreach (var error in errors.Concat(PatternCheck.Check(expression)))
        {
            findings.Error(
                SpecCodes.ExpressionType,
                pointer,
                $"This can never work: {error.Message} (character {error.Offset + 1}).",
                "Correct the expression, or the schema that says what it reads.");
        }

        return errors.Count == 0 ? type : null;
    }

    private void CheckPaths(CelExpression expression, string pointer, ExpressionScope scope)
    {
        foreach (var path in expression.Paths)
        {
            if (path.Root == "secrets")
            {
                CheckSecret(expression, path, pointer, scope);
            }
            else if (!scope.Roots.Contains(path.Root))
            {
                CheckRoot(path, pointer, scope);
            }
            else if (path.Root == "steps" && context is not null)
            {
                CheckStep(path, pointer, scope);
            }
        }
    }

    private void CheckRoot(ExpressionPath path, string pointer, ExpressionScope scope)
    {
        if (!TypeNames.Contains(path.Root))
        {
            var known = string.Join(", ", scope.Roots);
            findings.Error(
                SpecCodes.UnknownRoot,
                pointer,
                $"\"{ObjectReader.Shorten(path.Root)}\" is not known in {scope.Place} (character {path.Offset + 1}).",
                findings.Mend(path.Root, scope.Roots, $"Start with one of: {known}. A text is written in quotes."));
        }
    }

    private void CheckSecret(CelExpression expression, ExpressionPath path, string pointer, ExpressionScope scope)
    {
        var mayStandHere = scope.Roots.Contains("secrets");
        var standsAlone = path.Segments.Count == 1 && expression.Text == path.ToString();
        if (!mayStandHere || !standsAlone)
        {
            findings.Error(
                SpecCodes.SecretMisplaced,
                pointer,
                mayStandHere ? "A secret must stand alone in its template: nothing may be computed from it." : $"A secret cannot be used in {scope.Place}.",
                "Write ${{ secrets.name }} in the url, the headers or the body of a tool, and nowhere else.");
        }
    }

    private void CheckStep(ExpressionPath path, string pointer, ExpressionScope scope)
    {
        if (path.Segments.Count == 0)
        {
            findings.Error(
                SpecCodes.ExpressionType, pointer, "\"steps\" is used as a whole, or with a computed name: what is read could not be known in advance.", "Name the step: steps.score.output.");
            return;
        }

        var id = path.Segments[0];
        if (context!.StepIndex(id) is not { } source)
        {
            ReferenceChecks.Require(context, id, context.StepIds, pointer, "step");
            return;
        }

        if (path.Segments.Count > 1 && path.Segments[1] != "output")
        {
            findings.Error(
                SpecCodes.ExpressionType, pointer, $"A step has nothing but \"output\": {ObjectReader.Shorten(path.ToString())} does not exist.", $"Write steps.{id}.output.{ObjectReader.Shorten(path.Segments[1])}.");
        }

        var mayRead = scope.Reader is not { } reader || (source == reader && scope.IncludesReader) || context.Graph.IsAncestor(source, reader);
        if (!mayRead)
        {
            findings.Error(
                SpecCodes.StepNotBefore,
                pointer,
                source == scope.Reader ? $"Step \"{id}\" reads its own output before it ran." : $"Step \"{id}\" may not have run by then: no path leads from it to here.",
                $"Add \"{id}\" to \"needs\" of a step before, or read a step that runs before.");
        }
    }
}
