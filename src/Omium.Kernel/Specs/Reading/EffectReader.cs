namespace Omium.Kernel.Specs.Reading;

/// <summary>Reads <c>effect</c> of a tool or a step.</summary>
internal static class EffectReader
{
    private static readonly (string, EffectKind)[] Kinds =
    [
        ("none", EffectKind.None), ("idempotent", EffectKind.Idempotent), ("verifiable", EffectKind.Verifiable), ("irreversible", EffectKind.Irreversible),
    ];

    /// <summary>Null when there is none, or when its kind cannot be read.</summary>
    public static EffectSpec? Read(ObjectReader owner)
    {
        if (owner.Object("effect", "an effect") is not { } reader)
        {
            return null;
        }

        reader.RequireMember("kind");
        var kind = reader.Choice("kind", Kinds);
        var effect = new EffectSpec
        {
            Kind = kind ?? EffectKind.None,
            Key = reader.Text("key"),
            KeyTtl = reader.Duration("key_ttl") ?? EffectSpec.None.KeyTtl,
            Verify = reader.Text("verify"),
            VerifyAfter = reader.Duration("verify_after") ?? EffectSpec.None.VerifyAfter,
            Compensate = reader.Text("compensate"),
            Amount = reader.Text("amount"),
            Fresh = reader.Flag("fresh") ?? true,
        };
        reader.Close();
        RefuseWhatDoesNotApply(reader, kind);
        return kind is null ? null : effect;
    }

    private static void RefuseWhatDoesNotApply(ObjectReader reader, EffectKind? kind)
    {
        string[] refused = kind switch
        {
            EffectKind.None => ["key", "key_ttl", "verify", "verify_after", "compensate", "amount"],
            EffectKind.Irreversible => ["verify", "verify_after", "compensate"],
            _ => [],
        };
        var because = kind == EffectKind.None ? "nothing outside changes" : "it can neither be checked nor be taken back";
        foreach (var name in refused.Where(reader.Has))
        {
            reader.Findings.Error(
                SpecCodes.PropertyNotApplicable,
                reader.At(name),
                $"\"{name}\" does not go with kind {(kind == EffectKind.None ? "none" : "irreversible")}: {because}.",
                $"Remove \"{name}\", or choose the kind that fits: idempotent or verifiable.");
        }
    }
}
