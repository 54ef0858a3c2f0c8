namespace Omium.Kernel.Ledger;

/// <summary>
/// Units of money. Everything is counted in whole micro-credits: 1 USD = 1,000 credits = 1,000,000,000 micro-credits. Nothing is ever rounded but the
/// price of tokens, once for each answer, upwards.
/// </summary>
public static class Credits
{
    /// <summary>Micro-credits of one credit.</summary>
    public const long MicroPerCredit = 1_000_000;

    /// <summary>Credits of one US dollar.</summary>
    public const long PerUsd = 1_000;

    /// <summary>Price of a committed checkpoint: 5 credits.</summary>
    public const long CheckpointMicro = 5 * MicroPerCredit;

    /// <summary>Price of a committed item of a for_each: a hundred of them cost as much as one checkpoint.</summary>
    public const long ItemMicro = CheckpointMicro / 100;

    /// <summary>Most that one account can hold: far beyond any balance, and far from where sums of two overflow.</summary>
    public const long MicroMax = 1_000_000_000_000_000_000;

    /// <summary>Micro-credits of US cents.</summary>
    public static long OfUsdCents(long cents) => checked(cents * PerUsd * MicroPerCredit / 100);

    /// <summary>Whole credits, rounded towards less: nobody is shown what is not there.</summary>
    public static long Whole(long micro) => Math.DivRem(micro, MicroPerCredit, out var rest) - (rest < 0 ? 1 : 0);

    /// <summary>The calendar month (UTC) of a time, as yyyymm: the period of allowances and caps.</summary>
    public static int PeriodOf(long unixMs)
    {
        var time = DateTimeOffset.FromUnixTimeMilliseconds(unixMs);
        return (time.Year * 100) + time.Month;
    }
}

/// <summary>What tokens of one model cost, as it stood in a version of the price table.</summary>
/// <param name="Model">The model's name in the table.</param>
/// <param name="Table">Version of the price table.</param>
/// <param name="InputMicro">Micro-credits for a million tokens read.</param>
/// <param name="OutputMicro">Micro-credits for a million tokens written.</param>
public sealed record TokenPrice(string Model, int Table, long InputMicro, long OutputMicro)
{
    private const long Million = 1_000_000;

    /// <summary>The price of an answer, rounded up to a whole micro-credit. Negative counts are taken for 0.</summary>
    public long Of(long inputTokens, long outputTokens)
    {
        var exact = ((Int128)Math.Max(inputTokens, 0) * InputMicro) + ((Int128)Math.Max(outputTokens, 0) * OutputMicro);
        return (long)Int128.Min((exact + Million - 1) / Million, Credits.MicroMax);
    }
}
