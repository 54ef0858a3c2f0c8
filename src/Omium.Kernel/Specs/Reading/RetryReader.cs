namespace Omium.Kernel.Specs.Reading;

/// <summary>Reads <c>retry</c> of a step, and the backoff words both forms share.</summary>
internal static class RetryReader
{
    /// <summary>The only condition there is: stop when a failure's fingerprint was seen before.</summary>
    public const string SameFailureCondition = "same_failure_not_detected_twice";

    private const int AttemptsDefault = 3;

    private static readonly Backoff Standard = new(true, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10), true);

    public static RetrySpec? Read(ObjectReader step)
    {
        if (step.Object("retry", "a retry") is not { } reader)
        {
            return null;
        }

        var attempts = reader.Integer("max_attempts") ?? AttemptsDefault;
        var isExponential = reader.Choice("backoff", ("exponential", true), ("constant", false)) ?? true;
        var initial = reader.Duration("initial") ?? Standard.Initial;
        var most = reader.Duration("max") ?? (isExponential && initial < Standard.Max ? Standard.Max : initial);
        var jitter = reader.Flag("jitter") ?? isExponential;
        var stops = ReadCondition(reader);
        reader.Close();
        return new RetrySpec(attempts, new Backoff(isExponential, initial, most, jitter), stops);
    }

    /// <summary>True when <c>condition</c> stops at the same failure.</summary>
    public static bool ReadCondition(ObjectReader reader) => reader.Choice("condition", (SameFailureCondition, true)) ?? false;

    /// <summary><c>exponential(1s, 10s)</c> or <c>constant(2s)</c>; absent or unreadable = exponential(1s, 10s).</summary>
    public static Backoff ReadBackoffText(ObjectReader reader)
    {
        if (reader.Text("backoff") is not { } text)
        {
            return Standard;
        }

        if (ParseBackoff(text) is { } backoff)
        {
            return backoff;
        }

        reader.Findings.Error(
            SpecCodes.InvalidValue,
            reader.At("backoff"),
            $"\"{ObjectReader.Shorten(text)}\" is no backoff.",
            "Write exponential(first wait, longest wait) or constant(wait), for example exponential(1s, 10s).");
        return Standard;
    }

    private static Backoff? ParseBackoff(string text)
    {
        var open = text.IndexOf('(', StringComparison.Ordinal);
        if (open < 0 || !text.EndsWith(')'))
        {
            return null;
        }

        var word = text[..open].Trim();
        var arguments = text[(open + 1)..^1].Split(',');
        var waits = new TimeSpan[arguments.Length];
        for (var index = 0; index < arguments.Length; index++)
        {
            if (!DurationText.TryParse(arguments[index].AsSpan().Trim(), out waits[index]))
            {
                return null;
            }
        }

        return (word, waits.Length) switch
        {
            ("exponential", 2) => new Backoff(true, waits[0], waits[1], true),
            ("constant", 1) => new Backoff(false, waits[0], waits[0], false),
            _ => null,
        };
    }
}
