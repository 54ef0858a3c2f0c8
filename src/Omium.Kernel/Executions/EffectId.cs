using System.Globalization;

namespace Omium.Kernel.Executions;

/// <summary>
/// The stable name of an effect inside its stream: <c>step~visit~attempt</c>, then <c>~m{turn}</c> for a model's turn, <c>~c{n}</c> for a call
/// (the n-th of the attempt, from 1), <c>~v{n}</c> behind a call for its n-th verify probe, <c>~u{n}</c> for the n-th attempt of its compensation (each is an
/// effect of its own: a late answer of one is none of the next), <c>~w{n}</c> for the n-th probe whether it was undone, <c>~j{n}~t{try}</c> for the n-th verifier
/// of the attempt. The measurement of a handoff's claim is <c>sender~visit~try~h{edge}~k{claim}</c>, edges and claims counted from 1, and what a worker
/// acknowledges is <c>sender~visit~round~h{edge}</c>. Of what executions share, in the place of a part: <c>~g{n}</c> the n-th time a visit gathers it,
/// <c>~p{n}</c> its writes are prepared, <c>~s{n}</c> it is settled, <c>~w1</c> its writes are
/// taken back. Notifications are <c>notify~{n}</c>, timers <c>timer</c>. Outside the stream the execution id and a slash stand before it.
/// </summary>
public readonly record struct EffectId(string Step, int Visit, int Attempt, char Part, int Number, char Sub, int SubNumber = 0)
{
    /// <summary>A model's turn.</summary>
    public static EffectId Model(VisitKey visit, int attempt, int turn) => new(visit.Step, visit.Visit, attempt, 'm', turn, '\0');

    /// <summary>The n-th call of an attempt.</summary>
    public static EffectId Call(VisitKey visit, int attempt, int number) => new(visit.Step, visit.Visit, attempt, 'c', number, '\0');

    /// <summary>Part g, p, s or w: what a visit shares with other executions.</summary>
    public static EffectId Shared(VisitKey visit, int attempt, char part, int number = 1) => new(visit.Step, visit.Visit, attempt, part, number, '\0');

    /// <summary>The visit.</summary>
    public VisitKey Key => new(Step, Visit);

    /// <summary>The call a probe or compensation belongs to.</summary>
    public EffectId WithoutSub => this with { Sub = '\0', SubNumber = 0 };

    /// <summary>The n-th verify probe of this call.</summary>
    public EffectId Probe(int number) => this with { Sub = 'v', SubNumber = number };

    /// <summary>The n-th attempt to undo this call.</summary>
    public EffectId Compensation(int number) => this with { Sub = 'u', SubNumber = number };

    /// <summary>The n-th probe whether this call was undone.</summary>
    public EffectId UndoProbe(int number) => this with { Sub = 'w', SubNumber = number };

    /// <summary>Reads an id; false when it is none.</summary>
    public static bool TryParse(string text, out EffectId id)
    {
        id = default;
        Span<Range> ranges = stackalloc Range[6];
        var all = text.AsSpan();
        var count = all.Split(ranges, '~');
        if (count is < 4 or > 5)
        {
            return false;
        }

        var part = all[ranges[3]];
        if (!TryNumber(all[ranges[1]], out var visit) || !TryNumber(all[ranges[2]], out var attempt) || part.Length < 2
            || part[0] is not ('m' or 'c' or 'g' or 'h' or 'j' or 'p' or 's' or 'w') || !TryNumber(part[1..], out var number))
        {
            return false;
        }

        var sub = '\0';
        var subNumber = 0;
        if (count == 5)
        {
            var behind = all[ranges[4]];
            if (behind.Length < 2 || !SubsOf(part[0]).Contains(behind[0], StringComparison.Ordinal) || !TryNumber(behind[1..], out subNumber))
            {
                return false;
            }

            sub = behind[0];
        }

        id = new EffectId(text[ranges[0]], visit, attempt, part[0], number, sub, subNumber);
        return true;
    }

    /// <inheritdoc/>
    public override string ToString() => Sub == '\0'
        ? string.Create(CultureInfo.InvariantCulture, $"{Step}~{Visit}~{Attempt}~{Part}{Number}")
        : string.Create(CultureInfo.InvariantCulture, $"{Step}~{Visit}~{Attempt}~{Part}{Number}~{Sub}{SubNumber}");

    private static string SubsOf(char part) => part switch { 'c' => "vuw", 'h' => "k", 'j' => "t", _ => "" };

    private static bool TryNumber(ReadOnlySpan<char> text, out int value) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value > 0;
}
