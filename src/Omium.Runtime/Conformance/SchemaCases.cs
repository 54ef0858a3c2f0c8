using System.Text.Json;
using Omium.Kernel.Schemas;

namespace Omium.Runtime.Conformance;

/// <summary>What became of one case of a suite.</summary>
/// <param name="Name">File, group and case.</param>
/// <param name="Passed">Whether the answer was the expected one.</param>
/// <param name="Detail">Why not; empty when passed.</param>
public sealed record SchemaCase(string Name, bool Passed, string Detail);

/// <summary>
/// Runs files of the JSON Schema test suite: groups <c>{description, schema, tests: [{description, data, valid}]}</c>.
/// Each file is one array of groups. A file that is not one is a case that failed; the file system's own errors are thrown.
/// </summary>
public static class SchemaCases
{
    /// <summary>Every case of a file, in order.</summary>
    public static IReadOnlyList<SchemaCase> Run(string path, SchemaLimits? limits = null)
    {
        var file = Path.GetFileName(path);
        try
        {
            var groups = JsonElement.Parse(File.ReadAllBytes(path), new JsonDocumentOptions { MaxDepth = 256 });
            return [.. groups.EnumerateArray().SelectMany(group => RunGroup(file, group, limits))];
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            return [new SchemaCase(file, false, $"not a file of the suite: {error.Message}")];
        }
    }

    private static IEnumerable<SchemaCase> RunGroup(string file, JsonElement group, SchemaLimits? limits)
    {
        var groupName = $"{file} / {group.GetProperty("description").GetString()}";
        var schema = JsonSchema.TryCompile(group.GetProperty("schema"), out var problems, limits);
        foreach (var test in group.GetProperty("tests").EnumerateArray())
        {
            var name = $"{groupName} / {test.GetProperty("description").GetString()}";
            if (schema is null)
            {
                yield return new SchemaCase(name, false, string.Join("; ", problems.Select(problem => $"{problem.Code} {problem.Pointer}: {problem.Message}")));
                continue;
            }

            var expected = test.GetProperty("valid").GetBoolean();
            var result = schema.Validate(test.GetProperty("data"), limits);
            yield return new SchemaCase(name, result.IsValid == expected, result.IsValid == expected ? "" : Explain(expected, result));
        }
    }

    private static string Explain(bool expected, SchemaResult result) =>
        expected
            ? "should be valid, but " + string.Join("; ", result.Errors.Select(error => $"{error.InstancePointer} {error.Keyword}: {error.Message}"))
            : "should be invalid";
}
