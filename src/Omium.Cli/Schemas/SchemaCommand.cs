using System.Text.Encodings.Web;
using System.Text.Json;
using Omium.Kernel.Json;
using Omium.Kernel.Schemas;
using Omium.Runtime.Conformance;

namespace Omium.Cli.Schemas;

/// <summary>
/// <c>omium schema SCHEMA DATA [--json]</c> checks a file, and <c>omium schema --cases FILE...</c> runs files of the JSON Schema suite.
/// Exit codes: 0 valid (or every case passed), 1 invalid or unreadable, 2 wrong usage.
/// </summary>
public static class SchemaCommand
{
    private const string Usage = "usage: omium schema SCHEMA DATA [--json]\n       omium schema --cases FILE...";

    private static readonly JsonSerializerOptions Printed = new(JsonSerializerDefaults.Web)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Runs the command; <paramref name="args"/> are those after <c>schema</c>.</summary>
    public static int Run(string[] args, TextWriter output, TextWriter error)
    {
        if (args is ["--cases", _, ..] && !args.Skip(1).Any(IsOption))
        {
            return RunCases(args[1..], output, error);
        }

        var files = args.Where(argument => !IsOption(argument)).ToArray();
        if (files.Length != 2 || args.Any(argument => IsOption(argument) && argument != "--json"))
        {
            error.WriteLine(Usage);
            return 2;
        }

        return Check(files[0], files[1], args.Contains("--json"), output, error);
    }

    private static bool IsOption(string argument) => argument.StartsWith('-') && argument.Length > 1;

    private static int Check(string schemaPath, string dataPath, bool asJson, TextWriter output, TextWriter error)
    {
        if (!TryRead(schemaPath, error, out var source) || !TryRead(dataPath, error, out var data))
        {
            return 1;
        }

        var schema = JsonSchema.TryCompile(source, out var problems);
        if (schema is null)
        {
            if (asJson)
            {
                output.WriteLine(JsonSerializer.Serialize(new { valid = false, problems }, Printed));
                return 1;
            }

            foreach (var problem in problems)
            {
                error.WriteLine($"{schemaPath}#{problem.Pointer}: {problem.Message} [{problem.Code}]");
            }

            return 1;
        }

        var result = schema.Validate(data);
        Print(result, asJson, output);
        return result.IsValid ? 0 : 1;
    }

    private static void Print(SchemaResult result, bool asJson, TextWriter output)
    {
        if (asJson)
        {
            output.WriteLine(JsonSerializer.Serialize(new { valid = result.IsValid, errors = result.Errors, cost = result.Cost }, Printed));
            return;
        }

        if (result.IsValid)
        {
            output.WriteLine("valid");
            return;
        }

        foreach (var violation in result.Errors)
        {
            output.WriteLine($"{(violation.InstancePointer.Length == 0 ? "(root)" : violation.InstancePointer)}: {violation.Message} [{violation.Keyword}, {violation.SchemaPointer}]");
        }
    }

    private static int RunCases(string[] paths, TextWriter output, TextWriter error)
    {
        int passed = 0, failed = 0;
        foreach (var path in paths)
        {
            try
            {
                foreach (var one in SchemaCases.Run(path))
                {
                    (passed, failed) = one.Passed ? (passed + 1, failed) : (passed, failed + 1);
                    if (!one.Passed)
                    {
                        output.WriteLine($"{one.Name}: {one.Detail}");
                    }
                }
            }
            catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
            {
                error.WriteLine($"{path}: {problem.Message}");
                failed++;
            }
        }

        output.WriteLine($"{passed} passed, {failed} failed");
        return failed == 0 ? 0 : 1;
    }

    /// <summary>Files are read as strictly as everything that enters Omium, but numbers are kept as they are written.</summary>
    private static bool TryRead(string path, TextWriter error, out JsonElement value)
    {
        value = default;
        try
        {
            var bytes = File.ReadAllBytes(path);
            if (CanonicalJson.TryParse(bytes, out _, out var problem) || problem!.Code == "json_number_range")
            {
                value = CanonicalJson.ParseTrusted(bytes);
                return true;
            }

            error.WriteLine($"{path}: byte {problem.Offset}: {problem.Message} [{problem.Code}]");
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or JsonException)
        {
            error.WriteLine($"{path}: {problem.Message}");
        }

        return false;
    }
}
