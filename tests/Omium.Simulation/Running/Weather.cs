using Omium.Simulation.Scheduling;

namespace Omium.Simulation.Running;

/// <summary>What may go wrong in one simulation, and how often: drawn once from the seed, so that calm runs and storms both come. Healed, nothing goes wrong any more.</summary>
internal sealed class Weather
{
    private readonly Dice _dice;

    public Weather(Dice dice)
    {
        _dice = dice;
        IsCalm = dice.OneIn(12);
        TwoEngines = dice.OneIn(4);
        SlowReads = dice.OneIn(5);
        Loud = dice.Of([0, 1, 1, 2, 4]);
        KillOneIn = IsCalm ? 0 : dice.Of([0, 20, 40, 80]);
        PowerOneIn = IsCalm ? 0 : dice.Of([0, 0, 40, 100]);
        StallOneIn = IsCalm ? 0 : dice.Of([0, 0, 40]);
        ClockOneIn = IsCalm || TwoEngines ? 0 : dice.Of([0, 0, 30, 80]);
        AnswerLostOneIn = IsCalm ? 0 : dice.Of([0, 10, 30]);
        StoreFullOneIn = IsCalm ? 0 : dice.Of([0, 0, 25]);
        ToolFailsOneIn = IsCalm ? 0 : dice.Of([0, 3, 6, 12]);
        ModelFailsOneIn = IsCalm ? 0 : dice.Of([0, 3, 6, 12]);
        BadNumberOneIn = dice.Of([0, 3, 6]);
        SlowOneIn = IsCalm ? 0 : dice.Of([0, 20, 60]);
        DoubledOneIn = IsCalm ? 0 : dice.Of([0, 8, 20]);
        PeopleOneIn = IsCalm ? 0 : dice.Of([4, 6, 12, 25]);
        FaultySteps = dice.Between(40, 400);
    }

    public bool IsCalm { get; }

    /// <summary>Two hosts work on one log (their clocks differ by less than the margin); else one host owns it.</summary>
    public bool TwoEngines { get; }

    /// <summary>Reads of the store are steps, too.</summary>
    public bool SlowReads { get; }

    /// <summary>How many calls an agent likes to make.</summary>
    public int Loud { get; }

    public int KillOneIn { get; }

    public int PowerOneIn { get; }

    public int StallOneIn { get; }

    public int ClockOneIn { get; }

    public int AnswerLostOneIn { get; }

    public int StoreFullOneIn { get; }

    public int ToolFailsOneIn { get; }

    public int ModelFailsOneIn { get; }

    /// <summary>How often an answer breaks a guard.</summary>
    public int BadNumberOneIn { get; }

    public int SlowOneIn { get; }

    public int DoubledOneIn { get; }

    public int PeopleOneIn { get; }

    /// <summary>Steps of the first phase.</summary>
    public int FaultySteps { get; }

    /// <summary>Probes say done or not done, and probes and compensations fail a few times at most: nothing then needs a person.</summary>
    public bool ProbesAreClear { get; set; }

    public bool Healed { get; private set; }

    public void Heal() => Healed = true;

    public bool Happens(int oneIn) => !Healed && _dice.OneIn(oneIn);

    public bool AnswerLost() => Happens(AnswerLostOneIn);

    public bool StoreFull() => Happens(StoreFullOneIn);

    /// <summary>A store's step: mostly at once, now and then long.</summary>
    public long StoreDelayMs() => Happens(SlowOneIn * 4) ? _dice.Between(1, 40_000) : _dice.Below(3);

    /// <summary>A network's step towards a tool or model.</summary>
    public long NetworkDelayMs(long mostMs) => Math.Min(mostMs, Happens(SlowOneIn) ? _dice.Between(1, 60_000) : _dice.Between(1, 40));

    public Dice Dice => _dice;
}
