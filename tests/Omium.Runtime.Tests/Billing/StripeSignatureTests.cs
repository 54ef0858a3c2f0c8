using System.Text;
using Omium.Runtime.Billing;
using Xunit;

namespace Omium.Runtime.Tests.Billing;

public sealed class StripeSignatureTests
{
    private const long Time = 1_492_774_577;
    private const string Secret = "whsec_test";
    private static readonly byte[] Body = Encoding.UTF8.GetBytes("""{"id":"evt_1"}""");
    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeSeconds(Time + 10);

    [Fact]
    public void Sign_AKnownBody_IsTheHmacOfTimeDotBody()
    {
        // printf '1492774577.{"id":"evt_1"}' | openssl dgst -sha256 -hmac whsec_test
        Assert.Equal("t=1492774577,v1=7656fc2882a7ca0a651666b36bf2f2f22ee204f54f608f227498a2419f2890b2", StripeSignature.Sign(Body, Secret, Time));
    }

    [Fact]
    public void Verify_ItsOwnSignature_Holds() => Assert.True(StripeSignature.TryVerify(Body, StripeSignature.Sign(Body, Secret, Time), [Secret], Now, out _));

    [Fact]
    public void Verify_WhileASecretIsReplaced_EitherHolds() =>
        Assert.True(StripeSignature.TryVerify(Body, StripeSignature.Sign(Body, Secret, Time), ["whsec_new", Secret], Now, out _));

    [Fact]
    public void Verify_SeveralSignatures_OneIsEnough() => Assert.True(StripeSignature.TryVerify(
        Body, $"t={Time},v1={new string('0', 64)},v0=abc,{StripeSignature.Sign(Body, Secret, Time)["t=1492774577,".Length..]}", [Secret], Now, out _));

    [Theory]
    [InlineData(301, false)]
    [InlineData(300, true)]
    [InlineData(-300, true)]
    [InlineData(-301, false)]
    public void Verify_Tolerance_IsFiveMinutesEitherWay(int secondsOff, bool holds) => Assert.Equal(
        holds, StripeSignature.TryVerify(Body, StripeSignature.Sign(Body, Secret, Time), [Secret], DateTimeOffset.FromUnixTimeSeconds(Time + secondsOff), out _));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("t=1492774577")]
    [InlineData("v1=00")]
    [InlineData("t=x,v1=y")]
    [InlineData("t=1492774577,v1=zz00000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("t=1492774577,v1=0000000000000000000000000000000000000000000000000000000000000000")]
    public void Verify_NoneOrForged_IsRefused(string? header) => Assert.False(StripeSignature.TryVerify(Body, header, [Secret], Now, out _));

    [Fact]
    public void Verify_AnotherBodyTimeOrSecret_IsRefused()
    {
        var header = StripeSignature.Sign(Body, Secret, Time);
        Assert.False(StripeSignature.TryVerify("{}"u8, header, [Secret], Now, out _));
        Assert.False(StripeSignature.TryVerify(Body, header.Replace("577", "578", StringComparison.Ordinal), [Secret], Now, out _));
        Assert.False(StripeSignature.TryVerify(Body, header, ["whsec_other"], Now, out _));
        Assert.False(StripeSignature.TryVerify(Body, header, [], Now, out _));
    }

    [Theory]
    [InlineData("checkout.session.completed", "paid", "usd", true)]
    [InlineData("checkout.session.async_payment_succeeded", "paid", "usd", true)]
    [InlineData("checkout.session.completed", "unpaid", "usd", false)]
    [InlineData("checkout.session.completed", "paid", "eur", false)]
    [InlineData("checkout.session.expired", "paid", "usd", false)]
    [InlineData("charge.refunded", "paid", "usd", false)]
    public void TopUp_OnlyOfAPaidCheckoutInDollars(string type, string status, string currency, bool isTopUp)
    {
        var text = $$$$"""{"id":"evt_1","object":"event","type":"{{{{type}}}}","created":1,"livemode":false,"data":{"object":{"id":"cs_1","object":"checkout.session","amount_total":2000,"currency":"{{{{currency}}}}","payment_status":"{{{{status}}}}","metadata":{"omium_tenant":"ten_a"},"url":null}}}""";
        Assert.Equal(isTopUp ? ("cs_1", "ten_a", 2_000L) : null, PaymentEvent.Read(Encoding.UTF8.GetBytes(text))!.TopUp);
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("""{"id":"evt_1","type":"x"}""")]
    [InlineData("""{"id":"evt_1","type":"x","data":{}}""")]
    public void Read_WhatIsNoEvent_IsNull(string text) => Assert.Null(PaymentEvent.Read(Encoding.UTF8.GetBytes(text)));
}
