using System.Text.Json;
using System.Text.Json.Serialization;
using Omium.Kernel.Ledger;

namespace Omium.Runtime.Billing;

/// <summary>
/// What tokens cost through Omium's own model account. A version never changes once it is published: what was reserved by one version is charged by it,
/// whatever the newest is.
/// </summary>
/// <param name="Version">Counted up with every change.</param>
/// <param name="EffectiveFrom">Day it holds from (UTC).</param>
/// <param name="Models">Prices by model.</param>
public sealed record PriceTable(int Version, DateOnly EffectiveFrom, IReadOnlyList<ModelPrice> Models)
{
    private const string Resource = "prices.json";

    /// <summary>The table of this build.</summary>
    public static PriceTable Current { get; } = Load();

    /// <summary>
    /// The price of a model: the entry of its name, else the longest entry that its name begins with (<c>gpt-4o-2024-11-20</c> is a <c>gpt-4o</c>), else
    /// the dearest of the table, so that a model nobody has priced is not had for nothing.
    /// </summary>
    public TokenPrice PriceOf(string model)
    {
        var entry = Models.Where(price => model == price.Model || model.StartsWith(price.Model + "-", StringComparison.Ordinal)).MaxBy(price => price.Model.Length)
            ?? Models.MaxBy(price => price.OutputCreditsPerMillion)!;
        return new TokenPrice(entry.Model, Version, entry.InputCreditsPerMillion * Credits.MicroPerCredit, entry.OutputCreditsPerMillion * Credits.MicroPerCredit);
    }

    private static PriceTable Load()
    {
        using var stream = typeof(PriceTable).Assembly.GetManifestResourceStream(Resource) ?? throw new InvalidOperationException($"this build holds no {Resource}");
        return JsonSerializer.Deserialize(stream, PriceJson.Default.PriceTable)!;
    }
}

/// <summary>Price of one model, in credits for a million tokens.</summary>
public sealed record ModelPrice(string Model, long InputCreditsPerMillion, long OutputCreditsPerMillion);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(PriceTable))]
internal sealed partial class PriceJson : JsonSerializerContext;
