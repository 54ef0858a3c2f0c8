using System.Text.Json;
using Omium.Kernel.Expressions;
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

    public void Expression(string? text, string pointer, ExpressionScope scope)
    {
        if (string.IsNullOrEmpty(text))
        {
            return;
        }

        var expression = CelExpression.TryCompile(text, out var error);
        if (expression is not null)
        {
            CheckPaths(expression, pointer, scope);
            return;
        }

        var isTemplate = text.Contains("${{", StringComparison.Ordinal);
        findings.Error(
            SpecCodes.ExpressionSyntax,
            pointer,
            $"This is no expression: {error!.Message} (character {error.Offset + 1}).",
            isTemplate ? "Write the expression alone, without ${{ }}: this place holds nothing else." : "Write an expression of CEL, for example output.apr >= 2.5 && output.apr <= 8.5.");
    }

    public void Template(JsonElement value, string pointer, ExpressionScope scope)
    {
        var template = Expressions.Template.TryCompile(value, out var errors);
        foreach (var error in errors)
        {
            findings.Error(
                SpecCodes.TemplateSyntax,
                pointer + error.Pointer,
                $"A template here cannot be read: {error.Error.Message} (character {error.Error.Offset + 1}).",
                "Write ${{ expression }}; for the characters themselves write $${{.");
        }

        foreach (var (where, expression) in template?.Expressions ?? [])
        {
            CheckPaths(expression, pointer + where, scope);
        }
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
