using System.Runtime.InteropServices;
using System.Text.Json;

namespace Omium.Kernel.Schemas;

/// <summary>
/// A compiled JSON Schema, draft 2020-12 (json-schema.org/draft/2020-12). Immutable and safe to share between threads.
/// Guarantees: no network and no files (only the schema itself and the 2020-12 meta-schemas can be referred to), deterministic,
/// numbers are compared exactly as decimals, bounded by <see cref="SchemaLimits"/>; hostile schemas and values end in an answer, never in an exception.
/// A <c>$schema</c> of draft 4, 6, 7 or 2019-09 is read by the rules of 2020-12; what changed its meaning since then is a problem.
/// </summary>
public sealed class JsonSchema
{
    private readonly SchemaNode _root;

    private JsonSchema(JsonElement source, SchemaNode root)
    {
        Source = source;
        _root = root;
    }

    /// <summary>The schema as it was given; owns its memory.</summary>
    public JsonElement Source { get; }

    /// <summary>Compiles a schema, or reports what is wrong with it, all problems at once. Null exactly when there are problems.</summary>
    public static JsonSchema? TryCompile(JsonElement schema, out IReadOnlyList<SchemaProblem> problems, SchemaLimits? limits = null)
    {
        limits ??= SchemaLimits.Default;
        if (schema.ValueKind == JsonValueKind.Undefined)
        {
            problems = [new SchemaProblem("schema_invalid", "", "There is no schema.")];
            return null;
        }

        var size = JsonMarshal.GetRawUtf8Value(schema).Length;
        if (size > limits.SizeMax)
        {
            problems = [new SchemaProblem("schema_too_large", "", $"The schema has {size} bytes; at most {limits.SizeMax} are allowed.")];
            return null;
        }

        var source = schema.Clone();
        var compiler = new SchemaCompiler(limits);
        var root = compiler.Compile(source);
        problems = compiler.Problems;
        return problems.Count == 0 ? new JsonSchema(source, root) : null;
    }

    /// <summary>Checks a value. Never throws; what is too deep or too much work is invalid with keyword <c>$depth</c> or <c>$cost</c>.</summary>
    public SchemaResult Validate(JsonElement instance, SchemaLimits? limits = null)
    {
        if (instance.ValueKind == JsonValueKind.Undefined)
        {
            return new SchemaResult(false, [new SchemaViolation("", "", "type", "Expected a value, found nothing.")], 0);
        }

        var evaluation = new SchemaEvaluation(limits ?? SchemaLimits.Default);
        var isValid = evaluation.Evaluate(_root, instance, evaluated: null);
        return evaluation.Finish(isValid);
    }
}
