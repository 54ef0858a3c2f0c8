namespace Omium.Kernel.Schemas;

/// <summary>How much work a schema may ask for. The same limits give the same answer on every machine.</summary>
public sealed record SchemaLimits
{
    /// <summary>The defaults.</summary>
    public static SchemaLimits Default { get; } = new();

    /// <summary>Longest schema text, in bytes. Default 1 MiB.</summary>
    public int SizeMax { get; init; } = 1024 * 1024;

    /// <summary>Most subschemas in one compiled schema, resolved meta-schemas included. Default 20,000.</summary>
    public int NodesMax { get; init; } = 20_000;

    /// <summary>Most regular expressions in one schema. Default 500.</summary>
    public int PatternsMax { get; init; } = 500;

    /// <summary>Deepest nesting of a schema, in arrays and objects. Default 128.</summary>
    public int SchemaDepthMax { get; init; } = 128;

    /// <summary>Deepest nesting of schema applications while validating (references and branches count too). Default 500, at most 800, which a stack of 1 MiB bears.</summary>
    public int DepthMax { get; init; } = 500;

    /// <summary>Most violations (or problems of a schema) that are reported; validation stops there. Default 50.</summary>
    public int ErrorsMax { get; init; } = 50;

    /// <summary>Most work of one validation: about one unit for each keyword applied, each member or item visited and each 16 characters compared. Default 1,000,000.</summary>
    public long CostMax { get; init; } = 1_000_000;

    /// <summary>Whether <c>format</c> is checked or, as draft 2020-12 has it by default, only an annotation. Default false.</summary>
    public bool AssertFormats { get; init; }
}
