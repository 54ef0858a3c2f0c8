using System.Text.Json;

namespace Omium.Runtime.Specs;

/// <summary>The JSON Schema of Workflow Spec v0, as docs/reference holds it: served at <c>/v1/schemas/workflow-spec-v0</c>.</summary>
public static class SpecSchema
{
    private const string ResourceName = "workflow-spec-v0.schema.json";

    private static readonly Lazy<byte[]> LoadedBytes = new(Load);
    private static readonly Lazy<JsonElement> Parsed = new(() => JsonElement.Parse(LoadedBytes.Value));

    /// <summary>The document, bytes of UTF-8.</summary>
    public static ReadOnlyMemory<byte> Utf8 => LoadedBytes.Value;

    /// <summary>The document, parsed.</summary>
    public static JsonElement Json => Parsed.Value;

    private static byte[] Load()
    {
        using var stream = typeof(SpecSchema).Assembly.GetManifestResourceStream(ResourceName)
            ?? throw new InvalidOperationException($"The assembly lacks its resource {ResourceName}.");
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return copy.ToArray();
    }
}
