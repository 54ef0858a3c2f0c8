namespace Omium.Kernel.Schemas;

/// <summary>Why a schema cannot be used.</summary>
/// <param name="Code">
/// Stable: <c>schema_invalid</c> (a keyword has a wrong value), <c>schema_unresolved_ref</c>, <c>schema_endless_ref</c> (a reference
/// leads back to itself without going deeper into the data), <c>schema_pattern</c>, <c>schema_unsupported_dialect</c>, <c>schema_too_large</c>.
/// </param>
/// <param name="Pointer">JSON Pointer to the place in the schema.</param>
/// <param name="Message">One sentence for a person.</param>
public sealed record SchemaProblem(string Code, string Pointer, string Message);

/// <summary>One way in which a value breaks a schema.</summary>
/// <param name="InstancePointer">JSON Pointer to the offending value.</param>
/// <param name="SchemaPointer">JSON Pointer to the keyword, behind its URI and # when it stands in a meta-schema.</param>
/// <param name="Keyword">The keyword; <c>$cost</c> or <c>$depth</c> when validation gave up, <c>false</c> for the schema that allows nothing.</param>
/// <param name="Message">What was expected and what was found.</param>
public sealed record SchemaViolation(string InstancePointer, string SchemaPointer, string Keyword, string Message);

/// <summary>The answer of one validation.</summary>
/// <param name="IsValid">True when the value keeps the schema.</param>
/// <param name="Errors">Empty exactly when valid; at most <see cref="SchemaLimits.ErrorsMax"/>, in a fixed order of keywords.</param>
/// <param name="Cost">The work done, in the units of <see cref="SchemaLimits.CostMax"/>.</param>
public sealed record SchemaResult(bool IsValid, IReadOnlyList<SchemaViolation> Errors, long Cost);
