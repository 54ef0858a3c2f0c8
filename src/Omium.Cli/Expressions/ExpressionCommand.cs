using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Omium.Kernel.Expressions;
using Omium.Runtime.Conformance;

namespace Omium.Cli.Expressions;

/// <summary>
/// <c>omium expr</c>: evaluates an expression as the kernel does, or runs conformance cases.
/// Exit codes: 0 it has a value, or every case passed; 1 it has an error, a case missed, or a file cannot be read; 2 usage.
/// </summary>
public static class ExpressionCommand
{
    private const string Usage = """
        usage: omium expr '<expression>' [--bindings FILE] [--json]
               omium expr --cases FILE...

        --bindings FILE   a JSON object: name -> value
        --json            one JSON object: {"value", "cost"} or {"error": {"code", "message", "offset"}, "cost"}
        --cases FILE...   run conformance cases; prints every miss and how many passed
        """;

    /// <summary>Runs the command with the arguments after <c>expr</c>.</summary>
    public static int Run(string[] args, TextWriter output, TextWriter error)
    {
        if (args is ["--cases", .. { Length: > 0 } files])
        {
            return RunCases(files, output, error);
        }

        string? expression = null;
        string? bindingsFile = null;
        bool asJson = false;
        for (int index = 0; index < args.Length; index++)
        {
            if (args[index] == "--json")
            {
                asJson = true;
            }
            else if (args[index] == "--bindings" && bindingsFile is null && index + 1 < args.Length)
            {
                bindingsFile = args[++index];
            }
            else if (expression is null && !args[index].StartsWith("--", StringComparison.Ordinal))
            {
                expression = args[index];
            }
            else
            {
                expression = null;
                break;
            }
        }

        if (expression is null)
        {
            error.WriteLine(Usage);
            return 2;
        }

        return TryReadBindings(bindingsFile, error) is { } bindings ? Evaluate(expression, bindings, asJson, output, error) : 1;
    }

    private static int Evaluate(string text, DictionaryBindings bindings, bool asJson, TextWriter output, TextWriter error)
    {
        ExpressionResult result = CelExpression.TryCompile(text, out ExpressionError? problem)?.Evaluate(bindings) ?? new ExpressionResult(null, problem, 0);
        problem = result.Error;
        JsonElement value = default;
        if (result.Succeeded && !result.Value.TryToJson(out value, out string? noJson))
        {
            problem = new ExpressionError(ExpressionErrorCode.Type, noJson!, 0);
        }

        if (asJson)
        {
            var answer = problem is null
                ? new JsonObject { ["value"] = JsonNode.Parse(value.GetRawText()) }
                : new JsonObject { ["error"] = new JsonObject { ["code"] = problem.Code, ["message"] = problem.Message, ["offset"] = problem.Offset } };
            answer["cost"] = result.Cost;
            output.WriteLine(answer.ToJsonString());
        }
        else if (problem is null)
        {
            output.WriteLine(value.GetRawText());
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"cost: {result.Cost}"));
        }
        else
        {
            WriteProblem(text, problem, error);
        }

        return problem is null ? 0 : 1;
    }

    /// <summary>The code and message, then the line of the text with a caret below the place.</summary>
    private static void WriteProblem(string text, ExpressionError problem, TextWriter error)
    {
        const int WidthMax = 120;
        int offset = Math.Clamp(problem.Offset, 0, text.Length);
        int lineStart = offset == 0 ? 0 : text.LastIndexOf('\n', offset - 1) + 1;
        int lineEnd = text.IndexOf('\n', offset);
        int from = Math.Max(lineStart, offset - (WidthMax / 2));
        int to = Math.Min(lineEnd < 0 ? text.Length : lineEnd, from + WidthMax);
        error.WriteLine($"{problem.Code}: {problem.Message}");
        error.WriteLine("  " + text[from..to].Replace('\t', ' ').Replace('\r', ' '));
        error.WriteLine("  " + new string(' ', offset - from) + "^");
    }

    private static DictionaryBindings? TryReadBindings(string? file, TextWriter error)
    {
        var bindings = new DictionaryBindings();
        if (file is null)
        {
            return bindings;
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(file));
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                error.WriteLine($"{file}: bindings must be a JSON object, name -> value");
                return null;
            }

            foreach (JsonProperty binding in document.RootElement.EnumerateObject())
            {
                bindings.Set(binding.Name, CelValue.FromJson(binding.Value));
            }

            return bindings;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or JsonException)
        {
            error.WriteLine($"{file}: {problem.Message}");
            return null;
        }
    }

    private static int RunCases(string[] files, TextWriter output, TextWriter error)
    {
        int passed = 0;
        int failed = 0;
        foreach (string file in files)
        {
            IReadOnlyList<CelCaseOutcome> outcomes;
            try
            {
                outcomes = CelCases.RunFile(file);
            }
            catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or JsonException
                or FormatException or KeyNotFoundException or InvalidOperationException)
            {
                error.WriteLine($"{file}: {problem.Message}");
                return 1;
            }

            foreach (CelCaseOutcome miss in outcomes.Where(outcome => !outcome.Passed))
            {
                output.WriteLine($"{miss.Name}: {miss.Expression}: {miss.Detail}");
            }

            passed += outcomes.Count(outcome => outcome.Passed);
            failed += outcomes.Count(outcome => !outcome.Passed);
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{passed} passed, {failed} failed"));
        return failed == 0 ? 0 : 1;
    }
}
