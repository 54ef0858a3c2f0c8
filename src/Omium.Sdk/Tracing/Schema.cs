using System.Text.Json;
using System.Text.Json.Schema;

namespace Omium;

/// <summary>JSON Schemas of types.</summary>
public static class Schema
{
    private static readonly JsonSchemaExporterOptions Exporting = new() { TreatNullObliviousAsNonNullable = true };

    /// <summary>The schema of a type as values of it are written: members that a constructor or <c>required</c> asks for are required.</summary>
    /// <param name="json">How values are written; default as <see cref="OmiumOptions.Json"/>.</param>
    public static JsonElement Of<T>(JsonSerializerOptions? json = null) =>
        JsonSerializer.SerializeToElement((json ?? new OmiumOptions().Json).GetJsonSchemaAsNode(typeof(T), Exporting));
}
